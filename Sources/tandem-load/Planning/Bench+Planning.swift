import LinuxSystem

// What it takes to plan a large change, each plan in a process of its own.
extension Bench {
    func measurePlanning() throws {
        for shape in DNShape.allCases {
            let result = try HelperProgram.output(of: [Executables.current, "plan", shape.rawValue], interruption)
            let numbers = result.numbers
            guard result.end == .exited(code: 0), numbers.count == 4 else {
                throw LoadFailure("planning ended with \(result.end.map { "\($0)" } ?? "nothing")")
            }
            table.add(PlanFigure.time(shape), (numbers[0] + numbers[1]) / 1e6)
            table.add(PlanFigure.planner(shape), numbers[0] / 1e6)
            table.add(PlanFigure.checker(shape), numbers[1] / 1e6)
            table.add(PlanFigure.held(shape), numbers[2] / 1e6)
            table.add(PlanFigure.peak(shape), numbers[3] / 1e6)
        }
    }
}
