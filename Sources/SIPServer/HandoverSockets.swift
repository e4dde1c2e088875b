import ClusterModel
import DNOwnership
import SIPCore
import TLibraryPorts
import Transport

/// A node's sockets as its process hands them over: what each is, in the order in which their descriptors come.
struct HandoverSockets: Transferable {
    /// Where the numbers of connections go on.
    var lastNumber: UInt64 = 0
    /// From when nothing was read any more, monotonic nanoseconds.
    var frozenAt: UInt64 = 0
    /// What the node serves at.
    var served: [Served] = []
    /// Then where controllers find the process.
    var hasAdoption = false
    /// Then these, one descriptor each.
    var streams: [Stream] = []
    var links: [Link] = []
    var clients: [Client] = []
    /// Connections to gateways that were being made; they are made anew.
    var dials: [Dial] = []
    var problems: [Problem] = []
    var accepted: UInt64 = 0
    var cutOff: UInt64 = 0

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &lastNumber)
        state.number(2, &frozenAt)
        state.list(3, &served)
        state.flag(4, &hasAdoption)
        state.list(5, &streams)
        state.list(6, &links)
        state.list(7, &clients)
        state.list(8, &dials)
        state.list(9, &problems)
        state.number(10, &accepted)
        state.number(11, &cutOff)
    }

    var descriptorCount: Int { served.count + (hasAdoption ? 1 : 0) + streams.count + links.count + clients.count }

    /// A socket that the node serves at, by its name.
    struct Served: Restorable {
        var name = ""
        /// Datagrams that it had no room for, since it was opened.
        var dropped: UInt64 = 0

        static var blank: Served { Served() }

        mutating func transfer(_ state: inout StateTransfer) {
            state.text(1, &name)
            state.number(2, &dropped)
        }
    }

    /// A connection of SIP messages.
    struct Stream: Restorable {
        var source = SIPSource.blank
        var remains = StreamRemains()
        /// Of all that it will ever say, if that had come before it was accepted: when it came, and when it was read,
        /// milliseconds since 1970.
        var came: UInt64?
        var read: UInt64?

        static var blank: Stream { Stream() }

        mutating func transfer(_ state: inout StateTransfer) {
            state.message(1, &source)
            state.message(2, &remains)
            state.optional(3, &came)
            state.optional(4, &read)
        }
    }

    /// A connection on the mesh.
    struct Link: Restorable {
        var id = ConnectionID(rawValue: 0)
        /// In a log's words.
        var peer = ""
        var remains = StreamRemains()
        /// It was accepted here.
        var isAccepted = false

        static var blank: Link { Link() }

        mutating func transfer(_ state: inout StateTransfer) {
            state.number(1, &id)
            state.text(2, &peer)
            state.message(3, &remains)
            state.flag(4, &isAccepted)
        }
    }

    /// A connection of a client of the ports.
    struct Client: Restorable {
        var id = ClientID(rawValue: 0)
        var peer = ""
        var remains = StreamRemains()
        /// Nil once it is introduced.
        var introduction: ClientIntroduction?

        static var blank: Client { Client() }

        mutating func transfer(_ state: inout StateTransfer) {
            state.number(1, &id)
            state.text(2, &peer)
            state.message(3, &remains)
            state.optional(4, &introduction)
        }
    }

    struct Dial: Restorable {
        var flow = FlowID.none
        var listener: UInt8 = 0
        var messages: [UInt8] = []

        static var blank: Dial { Dial() }

        mutating func transfer(_ state: inout StateTransfer) {
            state.number(1, &flow)
            state.number(2, &listener)
            state.bytes(3, &messages)
        }
    }

    /// What the last thing was that went wrong with a link.
    struct Problem: Restorable {
        var node = NodeIndex.none
        var text = ""

        static var blank: Problem { Problem() }

        mutating func transfer(_ state: inout StateTransfer) {
            state.number(1, &node)
            state.text(2, &text)
        }
    }
}
