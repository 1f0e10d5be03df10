import ArgumentParser
@preconcurrency import Glibc
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
    requireWrittenOutput()
  }

  /// Ends the program: help and version go to standard output, what went wrong goes to standard error.
  private static func exit(reporting error: any Error) -> Never {
    let code = error is NNError ? ExitCode.failure : exitCode(for: error)
    let text = message(for: error)
    if code.isSuccess {
      print(text)
      requireWrittenOutput()
    } else if !text.isEmpty {
      StandardError.write("nnpack: \(text)\n")
    }
    Glibc.exit(code.rawValue)
  }

  /// What went wrong, in words; nothing where everything has been said.
  static func message(for error: any Error) -> String {
    if let error = error as? NNError { return error.message }
    let text = fullMessage(for: error)
    let prefix = "Error: "
    return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
  }

  /// Ends the program with a message if standard output has not taken all of what was printed. A reader that has gone, as `head`
  /// does, wants no message.
  private static func requireWrittenOutput() {
    errno = 0
    let isFlushed = fflush(stdout) == 0
    if isFlushed, ferror(stdout) == 0 { return }
    let reason = errno
    if reason != EPIPE {
      let words = reason == 0 ? "not all of it could be written" : String(cString: strerror(reason))
      StandardError.write("nnpack: standard output: \(words)\n")
    }
    Glibc.exit(ExitCode.failure.rawValue)
  }
}
