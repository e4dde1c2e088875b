import ArgumentParser
struct UpCommand: ParsableCommand { static let configuration = CommandConfiguration(commandName: "up") }
