import CTandemProto
import ClusterModel
package import Trunks

/// What nodes tell each other of trunks' capacities.
package enum CapacityCodec {
    package static func encode(_ word: CapacityWord, to output: inout [UInt8]) {
        let arena = PackingArena()
        let message = arena.make(tandem__mesh__capacity__init) {
            switch word.name {
            case .trunk(let name): $0.name = arena.string(name)
            case .group(let name):
                $0.name = arena.string(name)
                $0.is_group = 1
            }
            $0.given = word.given
            $0.taken = word.taken
            $0.spare = word.spare
            $0.wanted = word.wanted
            $0.question = word.question
            $0.answer = word.answer
        }
        appendFrame(type: FrameType.capacity, message, to: &output)
        withExtendedLifetime(arena) {}
    }

    package static func decode(_ payload: RawSpan) throws(WireError) -> CapacityWord {
        try unpack(
            type: FrameType.capacity, tandem__mesh__capacity__descriptor, payload, as: Tandem__Mesh__Capacity.self
        ) { message in
            let name = text(message.name)
            return CapacityWord(
                name: message.is_group != 0 ? .group(name) : .trunk(name), given: message.given, taken: message.taken,
                spare: message.spare, wanted: message.wanted, question: message.question, answer: message.answer)
        }
    }
}
