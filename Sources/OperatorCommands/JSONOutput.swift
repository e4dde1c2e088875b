import FoundationEssentials

/// How commands print JSON: keys sorted, nulls printed, ended by a line break.
package enum JSONOutput {
    package static func rendered(_ value: some Encodable) -> String {
        line(value, [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted])
    }

    /// On one line, for streams.
    package static func compact(_ value: some Encodable) -> String {
        line(value, [.sortedKeys, .withoutEscapingSlashes])
    }

    private static func line(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        // Texts, whole numbers, arrays and maps: there is nothing in them that JSON could not say.
        guard let data = try? encoder.encode(value) else { return "null\n" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }
}

/// How JSON of programs is read.
package enum JSONInput {
    /// - Returns: nil when it is not what was expected.
    package static func decoded<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) -> Value? {
        try? JSONDecoder().decode(type, from: Data(bytes))
    }
}

/// A value that is printed as `null` when it is missing, where a plain optional would be left out.
@propertyWrapper
package struct OrNull<Value: Encodable & Equatable & Sendable>: Encodable, Equatable, Sendable {
    package var wrappedValue: Value?

    package init(wrappedValue: Value?) {
        self.wrappedValue = wrappedValue
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}
