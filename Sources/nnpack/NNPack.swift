import ArgumentParser
import Glibc
import NNGraph

/// The command line: parsing arguments and printing. All work is done by the libraries below it.
@main
struct NNPack: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nnpack",
    abstract: "Trains neural networks, and packs, inspects, checks, runs and measures .nnrt files.",
    discussion: """
      EXAMPLE:
        nnpack train --example digits-mlp --output digits.nnrt
        nnpack inspect digits.nnrt
        nnpack run digits.nnrt --input pixels.npy --output probabilities.npy

      EXIT STATUS:
        0  success
        1  the command failed; the reason stands on standard error
        64 the command line is not right
      """,
    version: "nnpack 0.1.0",
    subcommands: [Train.self, Convert.self, Inspect.self, Run.self, Verify.self, Bench.self, Profile.self])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      exit(reporting: error)
    }
  }

  /// Ends the program: help and version go to standard output, what went wrong goes to standard error.
  private static func exit(reporting error: any Error) -> Never {
    if let error = error as? NNError {
      StandardError.write("nnpack: \(error.message)\n")
      Glibc.exit(1)
    }
    let code = exitCode(for: error)
    let text = fullMessage(for: error)
    if code.isSuccess {
      print(text)
    } else {
      let prefix = "Error: "
      StandardError.write("nnpack: \(text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text)\n")
    }
    Glibc.exit(code.rawValue)
  }
}
