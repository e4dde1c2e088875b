package import ClusterModel

/// What may happen in an exploration, and how often.
///
/// Messages are delivered, closed connections noticed, dials completed and cuts healed whenever they can be; all else is
/// a letter. Bounded letters make a bounded number of states, so most alphabets can be explored to the end.
package struct ExplorationAlphabet: Sendable {
    /// Something that comes from outside the cluster.
    package enum Letter: Hashable, Sendable {
        /// A phone's registration is accepted.
        case register(NodeIndex)
        /// A phone removes its contact: at the owner, or at a node that cannot hear the owner.
        case remove(NodeIndex)
        /// No bytes pass between two nodes any more. Each learns of it in its own time.
        case cut(NodeIndex, NodeIndex)
        /// The connection of two nodes breaks; they may dial at once.
        case reset(NodeIndex, NodeIndex)
        /// A node dies, and is back at once without its memory.
        case crash(NodeIndex)
        /// A node did not run for the link timeout, so it closes its connections and gives up what it waited for.
        case stall(NodeIndex)
        /// A node's pings are due.
        case ping(NodeIndex)
    }

    /// Any of these letters, so many times in all.
    package struct Budget: Sendable {
        package var letters: [Letter]
        package var count: Int

        package init(_ count: Int, _ letters: Letter...) {
            self.letters = letters
            self.count = count
        }
    }

    /// What a restarted node's wall clock says.
    package enum RestartedClock: Sendable {
        /// A second passed with every crash, so new stamps are greater than all before.
        case ahead
        /// A second less with every crash, so new stamps are lesser until a greater one is heard.
        case behind
    }

    package var name: String
    /// What the alphabet is for, in a sentence.
    package var purpose: String
    package var budgets: [Budget]
    /// At most so many events in a row; all alphabets of `named` but those that state less come to their ends before.
    package var depth = 200
    /// Letters that are played, each with all that comes of it, before the exploration starts.
    package var prelude: [Letter] = []
    /// Whether all nodes are linked when the exploration starts.
    package var startsLinked = true
    /// How many messages one direction of a connection takes before its sender has to wait.
    package var capacity = 8
    /// Whether cuts heal. What holds while they last is found sooner when they do not.
    package var cutsHeal = true
    /// What was on its way when a connection broke may still arrive until its end is told. Otherwise it is lost.
    package var keepsLeftovers = false
    package var restartedClock = RestartedClock.ahead
    /// By how much each node's wall clock is ahead of the least, milliseconds.
    package var clockSkews: [UInt64] = [0, 0, 0]
    package var ringCapacity = 8
    package var chunkRecords = 4

    package init(
        name: String, purpose: String, budgets: [Budget], prelude: [Letter] = [],
        _ change: (inout Self) -> Void = { _ in }
    ) {
        self.name = name
        self.purpose = purpose
        self.budgets = budgets
        self.prelude = prelude
        change(&self)
    }
}
