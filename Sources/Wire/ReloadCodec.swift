import CProtobufC
import CTandemProto
import Orchestration

/// Puts what became of files that were read again into frames.
enum ReloadCodec {
    static func pack(
        _ report: ReloadReport, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__Reloaded> {
        arena.make(tandem__control__reloaded__init) {
            let files = report.files.prefix(ReloadReport.maximumFiles)
            $0.n_files = files.count
            $0.files = arena.array(
                files.map { file in
                    Optional(
                        arena.make(tandem__control__reloaded_file__init) {
                            $0.what = arena.string(file.what)
                            $0.outcome = file.outcome.rawValue
                            $0.message = arena.string(file.message)
                        })
                })
        }
    }

    static func report(_ payload: RawSpan) throws(WireError) -> ReloadReport {
        let type = FrameType.reloaded
        return try unpack(
            type: type, tandem__control__reloaded__descriptor, payload, as: Tandem__Control__Reloaded.self
        ) { (message) throws(WireError) in
            guard message.n_files <= ReloadReport.maximumFiles else { throw .tooMany(type: type) }
            var files: [ReloadReport.File] = []
            for file in messages(message.n_files, message.files) {
                guard let outcome = ReloadReport.Outcome(rawValue: file.pointee.outcome) else {
                    throw .badValue(type: type, field: "outcome")
                }
                files.append(.init(text(file.pointee.what), outcome, text(file.pointee.message)))
            }
            return ReloadReport(files)
        }
    }
}
