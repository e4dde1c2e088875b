/// A piece of a message that is the same in all calls but for numbers of fixed width: to make one is a copy and some digits.
struct TextWithHoles {
    private enum Field: UInt8 {
        // Bytes that no message has stand for the digits.
        case caller = 1
        case callee, call
    }

    private struct Hole {
        let offset: Int
        let length: Int
        let field: Field
    }

    private let bytes: [UInt8]
    private var holes: [Hole] = []

    /// What stands for a number in the text.
    struct Marks {
        let caller: String
        let callee: String
        let call: String

        /// - Parameters:
        ///   - callerLength: digits of every caller's number.
        ///   - calleeLength: digits of every callee's.
        init(callerLength: Int, calleeLength: Int) {
            caller = Self.mark(.caller, callerLength)
            callee = Self.mark(.callee, calleeLength)
            call = Self.mark(.call, CallName.digits)
        }

        private static func mark(_ field: Field, _ length: Int) -> String {
            String(repeating: Character(Unicode.Scalar(field.rawValue)), count: length)
        }
    }

    init(_ text: String) {
        bytes = Array(text.utf8)
        var position = 0
        while position < bytes.count {
            guard let field = Field(rawValue: bytes[position]) else {
                position += 1
                continue
            }
            let start = position
            while position < bytes.count, bytes[position] == field.rawValue { position += 1 }
            holes.append(Hole(offset: start, length: position - start, field: field))
        }
    }

    func append(_ parties: CallParties, to output: inout [UInt8]) {
        let start = output.count
        output += bytes
        for hole in holes {
            var rest =
                switch hole.field {
                case .caller: parties.caller
                case .callee: parties.callee
                case .call: parties.call.number
                }
            var position = start &+ hole.offset &+ hole.length
            for _ in 0..<hole.length {
                position &-= 1
                output[position] = UInt8(truncatingIfNeeded: 48 &+ rest % 10)
                rest /= 10
            }
        }
    }
}
