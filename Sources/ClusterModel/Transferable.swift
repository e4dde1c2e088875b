// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Public so that it is inlined in other rooms, as Identity.swift says; nothing of it is a library's.

/// State that a process hands over to its successor. One function says what goes both ways, so what is written and what is
/// read cannot differ.
///
/// Fields are named in the ascending order of their numbers; a number that was given away once means nothing else ever. What
/// an older build does not write keeps the value that the reader began with; what a newer build writes beyond that is
/// passed over. `schemas/handover.proto` names them.
public protocol Transferable {
    /// Writes the state, or replaces it by what is read.
    mutating func transfer(_ state: inout StateTransfer)
}

/// Something that can be made before it is read.
public protocol Restorable: Transferable {
    /// What an older build, which knows no field of it, would mean.
    static var blank: Self { get }
}

/// A number with a name of its own: an index, a stamp, a mark.
public protocol Numbered {
    associatedtype RawValue: FixedWidthInteger & UnsignedInteger
    var rawValue: RawValue { get }
    init(rawValue: RawValue)

    /// Whether it means something in a cluster of so many DNs, nodes and trunks.
    func isWithin(_ bounds: StateTransfer.Bounds) -> Bool

    /// The same in another topology; nil of what has gone.
    func renumbered(_ renumbering: Renumbering) -> Self?
}

extension Numbered {
    @inlinable public func isWithin(_ bounds: StateTransfer.Bounds) -> Bool { true }

    @inlinable public func renumbered(_ renumbering: Renumbering) -> Self? { self }
}
