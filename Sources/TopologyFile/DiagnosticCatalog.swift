/// Every kind of fault that a topology file can have. Codes are for ever: scripts and searches rely on them.
package enum DiagnosticCode: String, CaseIterable, Sendable {
    case invalidYAML = "T001"
    case notText = "T002"
    case emptyFile = "T003"
    case severalDocuments = "T004"
    case tooDeep = "T005"
    case badAlias = "T006"
    case duplicateKey = "T007"
    case unknownKey = "T008"
    case missingKey = "T009"
    case wrongType = "T010"
    case wrongValue = "T011"
    case overlappingDNs = "T012"
    case wrongUnit = "T013"
    case badAddress = "T014"
    case badName = "T015"
    case danglingReference = "T016"
    case portClash = "T017"
    case badDN = "T018"
    case badRange = "T019"
    case tooMany = "T020"
    case meshNotLoopback = "T021"
    case contradiction = "T022"
    case noNodes = "T023"
    case noUDPListener = "T024"
    case otherHost = "T025"
    case wrongPhone = "T026"
    case notRunYet = "T027"
    case notEnforcedYet = "T028"
    case unusedFeature = "T029"
    case moreFaults = "T030"
    case noStatServer = "T031"
    case noDefaultPort = "T032"
    case noRouter = "T033"
    case noTrunk = "T034"
    case badHours = "T035"
    case workspaceNotProtected = "T036"
    case noAgents = "T037"
    case noURL = "T038"
}

/// What `tandem explain T012` says.
package enum DiagnosticCatalog {
    /// Every code, in order.
    package static var allCodes: [String] { DiagnosticCode.allCases.map(\.rawValue) }

    /// A few sentences on what a code means and how to mend it.
    ///
    /// - Parameter code: in upper or lower case.
    /// - Returns: nil when there is no such code.
    package static func explanation(of code: String) -> String? {
        DiagnosticCode(rawValue: code.uppercased())?.explanation
    }
}

extension DiagnosticCatalog {
    /// The code that somebody seems to mean: one with its number behind a letter, such as `E012` or `T12`, or the last one
    /// for a number beyond.
    package static func nearestCode(to text: String) -> String? {
        guard let letter = text.utf8.first, (letter | 0x20).isSmallLetter, text.utf8.dropFirst().count <= 4,
            let number = Int(text.dropFirst()), number > 0
        else { return nil }
        let position = min(number, allCodes.count) - 1
        // Numbers without gaps; a code that were not at its place would be no help.
        let code = allCodes[position]
        let isFar = number > allCodes.count + 9
        return isFar || code == text.uppercased() ? nil : code
    }
}

extension DiagnosticCode {
    /// What the code means and how to mend it.
    package var explanation: String {
        switch self {
        case .invalidYAML, .notText, .emptyFile, .severalDocuments, .tooDeep, .badAlias, .unusedFeature:
            explanationOfYAML
        case .duplicateKey, .unknownKey, .missingKey, .wrongType, .wrongValue, .wrongUnit, .badName, .tooMany,
            .moreFaults:
            explanationOfForm
        case .overlappingDNs, .danglingReference, .badDN, .badRange, .contradiction, .wrongPhone, .badHours:
            explanationOfDNs
        case .badAddress, .portClash, .meshNotLoopback, .noNodes, .noUDPListener, .otherHost, .notRunYet,
            .notEnforcedYet:
            explanationOfNodes
        case .noStatServer, .noDefaultPort, .noRouter, .noTrunk:
            explanationOfRouting
        case .workspaceNotProtected, .noAgents, .noURL:
            explanationOfWorkspaces
        }
    }

    private var explanationOfYAML: String {
        switch self {
        case .invalidYAML:
            """
            The file is not valid YAML, and nothing after this place could be read. Usual causes are an indentation that
            differs from the lines above, a missing colon or comma, a bracket or quote that is never closed, a tab used
            to indent, or a text with `: ` in it that needs quotes. Mend it and validate again: later faults show then.
            """
        case .notText:
            """
            The file has bytes that are not UTF-8, or control characters. It may have been saved in another encoding or
            damaged on the way. Save it as UTF-8.
            """
        case .emptyFile:
            """
            The file is empty or has nothing but comments. A topology declares version, cluster, domain, agentTypes,
            dataCenters and dns. clusters/single-node.yaml is a small one to copy.
            """
        case .severalDocuments:
            """
            YAML can hold several documents in a file, each after a line `---`. A topology file holds one, so that it is
            always clear what is applied. Put each cluster into a file of its own.
            """
        case .tooDeep:
            """
            Mappings and lists are nested deeper than any topology needs. Brackets that were opened and never closed do
            that, and so do files made to hurt their reader.
            """
        case .badAlias:
            """
            An alias (`*name`) repeats the value that an anchor (`&name`) marks earlier in the file. Here the anchor is
            missing, or contains its own alias, or the aliases together repeat more values than is sensible. Write the
            value out, or mend the name.
            """
        default:
            """
            YAML has tags (`!!str`) and merge keys (`<<`). Topology files use neither: values are read as what their key
            wants, and each entry says all that it means. Aliases (`*name`) of whole values are fine.
            """
        }
    }

    private var explanationOfForm: String {
        switch self {
        case .duplicateKey:
            """
            The same key or name stands twice in one place. YAML readers commonly keep the last and drop the first
            without a word, so this is an error. Remove one of the two, or rename it.
            """
        case .unknownKey:
            """
            A key is not known at this place: a typing error, a key that belongs elsewhere, or one of another version.
            It would have no effect, so it is an error. The help line names the nearest key, or all that are known here.
            """
        case .missingKey:
            """
            A mandatory key is missing. A topology must have version, cluster, domain, agentTypes, dataCenters and dns;
            the help line shows the key that is missing here with an example value.
            """
        case .wrongType:
            """
            A text stands where a list or a mapping is wanted, or the other way round. A list is `[a, b]` or lines that
            begin with `- `; a mapping is `{ key: value }` or indented lines `key: value`.
            """
        case .wrongValue:
            """
            The value is of the right form, but not one of the words or not within the bounds that its key allows. The
            message names them.
            """
        case .wrongUnit:
            """
            A duration is a whole number with a unit: `500ms`, `2s`, `5m`, `1h`. A number alone is an error, because 500
            may be meant as milliseconds and read as seconds.
            """
        case .badName:
            """
            Names of clusters, data centers, nodes and agent types are 1 to 31 small letters, digits and hyphens, and
            begin with a letter or digit: they become parts of file names, sockets and metrics. A domain is a host name
            such as cc.example.com.
            """
        case .tooMany:
            """
            Something exceeds a limit of this version, and the message says which. Limits keep a mistake in a file from
            becoming a machine without memory. Many DNs are best declared by range.
            """
        default:
            """
            The file has more faults than are worth showing at once. One mistake often causes many: mend the first ones
            and validate again.
            """
        }
    }

    private var explanationOfDNs: String {
        switch self {
        case .overlappingDNs:
            """
            A DN is declared more than once, by number, by range or as a routing point. Each DN must have exactly one
            declaration, or it would depend on the order of the lines which agent type and homes it has. The second
            label shows the other declaration. Shorten one range, or remove one of the two.
            """
        case .danglingReference:
            """
            A name refers to something that the file does not declare: an agent type, a data center, a trunk or a DN.
            Mend the name (the help line tells the nearest), or declare what is missing. A listener over TLS refers to the
            certificate of its node or of `tls`, and a mesh over TLS to its `ca` too.
            """
        case .badDN:
            """
            A DN is 1 to 16 characters: digits, letters and * # + . _ -. It is text: `0042` and `42` are two DNs. What
            is dialled for a PSTN phone is digits, * and #, perhaps with a leading +.
            """
        case .badRange:
            """
            A range is two numbers with a hyphen, such as 1000-1999: digits only, the smaller first, both of the same
            length. `0-100` is an error because it could mean 000 to 100 or 0 to 100; write `000-100`, or two ranges.
            """
        case .contradiction:
            """
            Two values exclude each other. Expiry times must grow from `min` over `default` to `max`; `linkTimeout` must
            be longer than `keepalive`, or every silent link would be lost before it was first pinged.
            """
        case .badHours:
            """
            `expect` says when a DN should be in service. `hours` are two times of a day with a hyphen, such as
            08:00-18:00; 22:00-06:00 ends on the next day, and belongs to the day on which it begins. `days` are such as
            mon-fri, sat, or a list of these. `timezone` is how far the clock is ahead of UTC, such as +01:00; there is no
            summer time, because names of time zones would have to be looked up on every host.
            """
        default:
            """
            A key does not fit the kind of phone. A SIP phone registers, so it may have `registration`, and needs no
            `dial` or `trunk`. A PSTN phone is dialled, so each of its DNs is declared by number with what to `dial`.
            """
        }
    }

    private var explanationOfRouting: String {
        switch self {
        case .noStatServer:
            """
            A router asks the Stat Servers of its own data center which agents are free, so that it needs no other data
            center to route. Where there is none it could give no call to anybody. Declare one beside it:
            `statServers: { stat1: {} }`; two, if one may fail.
            """
        case .noDefaultPort:
            """
            A node offers the calls that come to a routing point to the routers that are connected to its `default`
            port, and a router connects to the nodes of its own data center. Give these a `default` address.
            """
        case .noTrunk:
            """
            A PSTN phone is dialled through the trunk of its agent type. Without one its DN is in service while its agent's
            desktop is there, but no call can reach it. Name a trunk in the agent type:
            `pstn-phone: { phone: pstn, trunk: carrier }`.
            """
        default:
            """
            Calls to a routing point wait for a router to choose an agent. Without any router in the topology nobody
            would, so they go to the routing point's `default` at once. Declare a router, with a Stat Server beside it,
            or remove the routing point.
            """
        }
    }

    private var explanationOfNodes: String {
        switch self {
        case .badAddress:
            """
            An address is an IP address with a port, such as 127.0.0.1:5060 or [::1]:5060, mostly with the transport
            before it: `udp:127.0.0.1:5060`, `tcp:127.0.0.1:7101`; some may be Unix sockets, `unix:/run/tandem/x.sock`.
            Host names are not looked up: a cluster must not change when a name server does.
            """
        case .portClash:
            """
            Two listeners want the same port of the same address; the second would fail to start. UDP and TCP ports do
            not clash with each other, TLS counts as TCP, and 0.0.0.0 or [::] clashes with every address at its port.
            The second label shows the other listener. Give one of them another port. The gateway of a trunk cannot be
            where one of the cluster's own listeners is either.
            """
        case .meshNotLoopback:
            """
            Nodes believe what they hear over the mesh. Beyond this machine that is safe only with mutual TLS: write
            `tls:` before the address, and give the nodes certificates and `tls` a `ca`. Addresses with `tcp:` must be
            loopback (127.0.0.1, ::1).
            """
        case .noNodes:
            """
            No data center declares a node, so there is nothing to run. Declare at least one under
            `dataCenters: NAME: nodes:`; clusters/single-node.yaml shows how.
            """
        case .noUDPListener:
            """
            Phones register over UDP, TCP and TLS, so every node needs at least one SIP listener such as
            `udp:127.0.0.1:5071` or `tls:127.0.0.1:5061`.
            """
        case .otherHost:
            """
            This version runs all nodes on one host, the one where `tandem up` is started: `host: local`. Leave `host`
            out, or say `local`.
            """
        case .notRunYet:
            """
            The file declares something that a later version runs and this one does not. It was checked and is otherwise
            ignored; the rest of the cluster runs. Remove it to silence the warning.
            """
        default:
            """
            The file asks for protection that the version which reads it cannot give. To ignore it would leave the
            cluster open without a word, so it is an error. This version gives all the protection that a file can ask
            for, so it was an earlier one that said this: run this one.
            """
        }
    }

    private var explanationOfWorkspaces: String {
        switch self {
        case .workspaceNotProtected:
            """
            Agents type their passwords into a page of the workspace, and what goes over `http` can be read on its way.
            That is fine on this machine alone. Beyond it write `https` with a certificate under `tls`, or let a proxy
            that speaks TLS stand before it, and name the proxy's address under `proxies`.
            """
        case .noAgents:
            """
            Agents sign in at a workspace with passwords, and the topology names no file that has them. Make hashes with
            `tandem password`, write them under `agents` of a credentials file, and name it:
            `workspace: { agents: credentials.yaml }`. On this machine alone `tandem up` makes a few agents to try.
            """
        default:
            """
            A workspace that listens at 0.0.0.0 or [::] has no address that a browser could go to, and pages must know
            where the other workspaces are when their own is gone. Say it as `url`: `https://desk1.example.com`, a
            scheme, a host and perhaps a port, without a path.
            """
        }
    }
}
