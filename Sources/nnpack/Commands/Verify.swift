import ArgumentParser
import NNFormat
import NNGraph
import NNRuntime

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks a .nnrt file: its structure, its checksums, and its self-test vectors.",
    discussion: """
      The vectors are run on every instruction set that this machine has, and each output must have the recorded bits. \
      A file without vectors passes if it is well formed, which is said.

      EXAMPLE:
        nnpack verify digits.nnrt
      """)

  @Argument(help: "The .nnrt file.") var file: String

  func run() throws {
    let model = try Model.open(path: file)
    let count = try model.selfTests().count
    guard count > 0 else {
      print("\(file): well formed; it has no self-test vectors")
      return
    }
    for level in [InstructionSetLevel.baseline, .v3, .v4] where level.isAvailable {
      var options = Session.Options()
      options.instructionSet = level
      do throws(NNError) {
        try model.selfTest(options: options)
      } catch {
        throw error.within("\(file): on \(level.name)")
      }
      print("\(file): \(count) self-test vector\(count == 1 ? "" : "s") ok on \(level.name)")
    }
  }
}
