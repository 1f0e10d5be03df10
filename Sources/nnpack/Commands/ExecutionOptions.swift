import ArgumentParser
import NNRuntime

/// How a session runs: the options that `run`, `bench` and `profile` share.
struct ExecutionOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "Threads to run on.") var threads = 1

  @Option(help: ArgumentHelp("Instructions to use: automatic, baseline, v3 or v4.", valueName: "set"))
  var instructionSet = InstructionSetArgument(.automatic)

  var session: Session.Options {
    var options = Session.Options()
    options.threads = threads
    options.instructionSet = instructionSet.level
    return options
  }

  func validate() throws {
    guard (1...256).contains(threads) else { throw ValidationError("--threads is from 1 to 256") }
  }
}

/// A level by its name. The level itself would be listed by its cases, which are no names of a command line.
struct InstructionSetArgument: ExpressibleByArgument {
  let level: InstructionSetLevel

  init(_ level: InstructionSetLevel) {
    self.level = level
  }

  init?(argument: String) {
    guard let level = InstructionSetLevel.allCases.first(where: { "\($0.name)" == argument }) else {
      return nil
    }
    self.level = level
  }

  var defaultValueDescription: String { "\(level.name)" }
}
