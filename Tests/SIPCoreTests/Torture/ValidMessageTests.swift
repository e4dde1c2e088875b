import ClusterModel
import SIPCore
import Testing

/// RFC 4475 section 3.1.1.
@Suite struct ValidMessageTests {
    @Test func `3.1.1.1 a short tortuous INVITE`() {
        let parsed = torture(
            1001,
            #"""
            INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0
            TO :
             sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n
            from   : "J Rosenberg \\\""       <sip:jdrosen@example.com>
              ;
              tag = 98asjd8
            MaX-fOrWaRdS: 0068
            Call-ID: wsinv.ndaksdj@192.0.2.1
            Content-Length   : 150
            cseq: 0009
              INVITE
            Via  : SIP  /   2.0
             /UDP
                192.0.2.2;branch=390skdjuw
            s :
            NewFangledHeader:   newfangled value
             continued newfangled value
            UnknownHeaderWithUnusualValue: ;;,,;;,;
            Content-Type: application/sdp
            Route:
             <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
            v:  SIP  / 2.0  / TCP     spindle.example.com   ;
              branch  =   z9hG4bK9ikj8  ,
             SIP  /    2.0   / UDP  192.168.255.111   ; branch=
             z9hG4bK30239
            m:"Quoted string \"\"" <sip:jdrosen@example.com> ; newparam =
                  newvalue ;
              secondparam ; q = 0.33
            """#,
            body: """
                v=0
                o=mhandley 29739 7272939 IN IP4 192.0.2.3
                s=-
                c=IN IP4 192.0.2.4
                t=0 0
                m=audio 49217 RTP/AVP 0 12
                m=video 3227 RTP/AVP 31
                a=rtpmap:31 LPC

                """)
        let message = parsed.message
        #expect(parsed.fate == .forwarded)
        #expect(parsed.text(message.requestURI.parameters) == ";unknownparam")
        #expect(parsed.text(message.to.tag) == "1918181833n")
        #expect(parsed.text(message.from.tag) == "98asjd8")
        #expect(parsed.text(message.from.uri.whole) == "sip:jdrosen@example.com")
        #expect(message.maxForwards == 68)
        #expect(message.cseq == 9)
        #expect(message.viaCount == 3)
        #expect(parsed.text(message.topVia.host) == "192.0.2.2")
        #expect(parsed.text(message.topVia.branch) == "390skdjuw")
        #expect(message.contactCount == 1)
        #expect(message.contact(0).quality == 330)
        #expect(message.body.count == 150)
        #expect(
            parsed.answerLines.filter { $0.hasPrefix("Via:") } == [
                "Via: SIP  /   2.0   /UDP      192.0.2.2;branch=390skdjuw;received=10.0.0.1",
                "Via: SIP  / 2.0  / TCP     spindle.example.com   ;    branch  =   z9hG4bK9ikj8  ,"
                    + "   SIP  /    2.0   / UDP  192.168.255.111   ; branch=   z9hG4bK30239",
            ])
    }

    @Test func `3.1.1.2 a wide range of valid characters`() {
        let parsed = torture(
            641,
            #"""
            !interesting-Method0123456789_*+`.%indeed'~\#
             sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*\#
            :&it+has=1,weird!*pas$wo~d_too.(doesn't-it)\#
            @example.com SIP/2.0
            Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~
            To: "BEL:\\#u{07} NUL:\\#u{00} DEL:\\#u{7F}"\#
             <sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*\#
            @example.com>
            From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>\#
            ;fromParam''~+*_!.-%=\#
            "работающий"\#
            ;tag=_token~1'+`*%!-.
            Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\/"][?}{
            CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~
            Max-Forwards: 255
            extensionHeader-!.%*+_`'~:\#
            \#u{FEFF}大停電
            Content-Length: 0
            """#)
        #expect(parsed.fate == .answered(.notImplemented))
        #expect(parsed.answerLines.contains { $0.hasPrefix("Allow: REGISTER, OPTIONS, INVITE") })
        let message = parsed.message
        #expect(parsed.user(of: message.requestURI) == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")
        #expect(parsed.text(message.requestURI.password) == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")
        #expect(parsed.user(of: message.to.uri) == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")
        #expect(parsed.text(message.to.uri.host) == "example.com")
        #expect(parsed.text(message.from.tag) == "_token~1'+`*%!-.")
        #expect(parsed.text(message.callID) == #"intmeth.word%ZK-!.*_+'@word`~)(><:\/"][?}{"#)
        #expect(parsed.text(message.topVia.branch) == "z9hG4bK-.!%66*_+`'~")
        #expect(message.maxForwards == 255)
    }

    @Test func `3.1.1.3 valid use of the % escaping mechanism`() {
        let parsed = torture(
            543,
            """
            INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0
            To: sip:%75se%72@example.com
            From: <sip:I%20have%20spaces@example.net>;tag=938
            Max-Forwards: 87
            i: esc01.239409asdfakjkn23onasd0-3234
            CSeq: 234234 INVITE
            Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bKkdjuw
            C: application/sdp
            Contact:
              <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>
            Content-Length: 150
            """, body: session(at: "192.0.2.1"))
        #expect(parsed.fate == .forwarded)
        #expect(parsed.user(of: parsed.message.requestURI) == "sips%3Auser%40example.com")
        #expect(parsed.message.to.uri.dn(in: parsed.bytes.span) == DN("user"))
        #expect(parsed.message.contactCount == 1)
        // An escape is resolved once: the contact's name is "value%41" and not "valueA".
        let contact = parsed.text(parsed.message.contact(0).uri.whole)
        var registrar = Registrar(dnCount: 1)
        registrar.take(register("<\(contact)>", cseq: 1))
        registrar.take(register("<sip:caller@host5.example.net;lr;name=value%2541>", cseq: 2))
        #expect(registrar.bindingCount == 1)
        registrar.take(register("<sip:caller@host5.example.net;lr;name=valueA>", cseq: 3))
        #expect(registrar.bindingCount == 2)
    }

    @Test func `3.1.1.4 escaped nulls in URIs`() {
        let parsed = torture(
            359,
            """
            REGISTER sip:example.com SIP/2.0
            To: sip:null-%00-null@example.com
            From: sip:null-%00-null@example.com;tag=839923423
            Max-Forwards: 70
            Call-ID: escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd
            CSeq: 14398234 REGISTER
            Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw
            Contact: <sip:%00@host5.example.com>
            Contact: <sip:%00%00@host5.example.com>
            L:0
            """)
        #expect(parsed.fate == .served)
        #expect(parsed.message.contactCount == 2)
        // No DN has a null in it, and none is what stands before the null.
        #expect(parsed.message.to.uri.dn(in: parsed.bytes.span) == nil)
        for user in ["1001%00", "1001%00%00", "1001%001", "%001001", "%00"] {
            let other = request(["OPTIONS sip:\(user)@example.com SIP/2.0", "Via: SIP/2.0/UDP a"])
            #expect(other.message.requestURI.dn(in: other.bytes.span) == nil, "\(user)")
        }
        var registrar = Registrar(dnCount: 1)
        registrar.take(parsed)
        #expect(registrar.bindingCount == 2)
    }

    @Test func `3.1.1.5 use of % when it is not an escape`() {
        let parsed = torture(
            439,
            """
            RE%47IST%45R sip:registrar.example.com SIP/2.0
            To: "%Z%45" <sip:resource@example.com>
            From: "%Z%45" <sip:resource@example.com>;tag=f232jadfj23
            Call-ID: esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf
            Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzsnel234
            CSeq: 29344 RE%47IST%45R
            Max-Forwards: 70
            Contact: <sip:alias1@host1.example.com>
            C%6Fntact: <sip:alias2@host2.example.com>
            Contact: <sip:alias3@host3.example.com>
            l: 0
            """)
        #expect(parsed.fate == .answered(.notImplemented))
        #expect(parsed.message.contactCount == 2)
        #expect(parsed.user(of: parsed.message.contact(1).uri) == "alias3")
        #expect(parsed.answerLines.contains("From: \"%Z%45\" <sip:resource@example.com>;tag=f232jadfj23"))
    }

    @Test func `3.1.1.6 no space between a display name and its bracket`() {
        let parsed = torture(
            255,
            """
            OPTIONS sip:user@example.com SIP/2.0
            To: sip:user@example.com
            From: caller<sip:caller@example.com>;tag=323
            Max-Forwards: 70
            Call-ID: lwsdisp.1234abcd@funky.example.com
            CSeq: 60 OPTIONS
            Via: SIP/2.0/UDP funky.example.com;branch=z9hG4bKkdjuw
            l: 0
            """)
        #expect(parsed.fate == .served)
        #expect(parsed.text(parsed.message.from.uri.whole) == "sip:caller@example.com")
        #expect(parsed.text(parsed.message.from.tag) == "323")
    }
}
