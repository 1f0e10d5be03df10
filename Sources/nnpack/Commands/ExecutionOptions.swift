import ArgumentParser
import NNRuntime

/// How a session runs: the options that `run` and `bench` share.
struct ExecutionOptions: ParsableArguments {
  @Option(help: "Threads to run on.") var threads = 1

  @Option(help: ArgumentHelp("Instructions to use: automatic, baseline, v3 or v4.", valueName: "set"))
  var instructionSet = InstructionSetLevel.automatic

  var session: Session.Options {
    var options = Session.Options()
    options.threads = threads
    options.instructionSet = instructionSet
    return options
  }

  func validate() throws {
    if threads < 1 { throw ValidationError("--threads takes a number of at least 1") }
  }
}

extension InstructionSetLevel: ExpressibleByArgument {
  public init?(argument: String) {
    switch argument {
    case "automatic": self = .automatic
    case "baseline": self = .baseline
    case "v3": self = .v3
    case "v4": self = .v4
    default: return nil
    }
  }

  public static var allValueStrings: [String] { ["automatic", "baseline", "v3", "v4"] }

  public var defaultValueDescription: String { "\(name)" }
}
