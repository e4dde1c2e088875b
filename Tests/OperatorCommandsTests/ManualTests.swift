import OperatorCommands
import Testing

struct ManualTests {
    private static let help = #"""
        {"command": {"commandName": "tandem-x", "abstract": "Does x.", "discussion": ".begins with a full stop\n\nEnd",
          "arguments": [], "subcommands": [
            {"commandName": "help", "abstract": "Show help", "arguments": []},
            {"commandName": "secret", "shouldDisplay": false, "arguments": []},
            {"commandName": "go", "abstract": "Go.", "arguments": [
              {"kind": "positional", "valueName": "where", "abstract": "The place.", "isOptional": false,
               "isRepeating": true, "shouldDisplay": true},
              {"kind": "option", "names": [{"kind": "short", "name": "n"}, {"kind": "long", "name": "times"}],
               "valueName": "count", "abstract": "How often.", "defaultValue": "1", "isOptional": true,
               "isRepeating": false, "shouldDisplay": true},
              {"kind": "flag", "names": [{"kind": "long", "name": "help"}], "isOptional": true, "isRepeating": false,
               "shouldDisplay": true}
            ]}
        ]}}
        """#

    @Test
    func pageOfAProgramWithCommands() throws {
        let help = try #require(JSONInput.decoded(ProgramHelp.self, Array(Self.help.utf8)))
        let page = ManualPage(help, version: "0.1.0", date: "2026-01-31", programs: ["tandemd", "tandem-x", "tandem"])
        let expected = #"""
            .TH TANDEM-X 1 "2026-01-31" "Tandem 0.1.0" "Tandem"
            .SH NAME
            tandem\-x \- Does x
            .SH SYNOPSIS
            \fBtandem\-x go\fR \fIwhere\fR ... [\fB\-\-times\fR \fIcount\fR]
            .SH DESCRIPTION
            .PP
            Does x.
            .PP
            \&.begins with a full stop
            .PP
            End
            .SH COMMANDS
            .SS tandem\-x go
            .PP
            Go.
            .TP
            \fIwhere\fR
            The place.
            .TP
            \fB\-n\fR, \fB\-\-times\fR \fIcount\fR
            How often. By default 1.
            .SH SEE ALSO
            .BR tandem (1) ,
            .BR tandem\-topology (5) ,
            .BR tandem\-operating (7) ,
            .BR tandemd (8)

            """#
        #expect(page.text == expected)
    }

    @Test
    func whatIsNoHelpIsRefused() {
        #expect(JSONInput.decoded(ProgramHelp.self, Array("{}".utf8)) == nil)
        #expect(JSONInput.decoded(ProgramHelp.self, []) == nil)
    }
}
