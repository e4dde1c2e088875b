import ClusterModel

/// The value of a line of history.
enum TransitionCodec {
    static func encode(_ transition: Transition) -> [UInt8] {
        var output = FieldWriter()
        output.put(transition.time)
        output.put(transition.cause.rawValue)
        output.put(transition.service.rawValue)
        output.put(transition.stamp.rawValue)
        output.put(transition.owner)
        output.put(transition.formerOwner)
        output.put(transition.agent)
        output.put(transition.phone)
        return output.bytes
    }

    static func decode(_ bytes: [UInt8]) throws(Damage) -> Transition {
        var input = FieldReader(bytes: bytes)
        let time = try input.number(UInt64.self)
        guard let cause = Transition.Cause(rawValue: try input.byte()),
            let service = Service(rawValue: try input.byte())
        else { throw Damage() }
        let stamp = Stamp(rawValue: try input.number(UInt64.self))
        var transition = Transition(time: time, cause: cause, service: service, owner: "", stamp: stamp)
        transition.owner = try input.string()
        transition.formerOwner = try input.string()
        transition.agent = try input.string()
        transition.phone = try input.string()
        guard input.isAtEnd else { throw Damage() }
        return transition
    }
}
