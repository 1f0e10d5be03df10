import ArgumentParser
import NNFormat
import NNGraph
import Files
import NumPyFiles

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what a .nnrt file holds and where its bytes go.",
    discussion: """
      Stored bytes are those in the file, raw bytes those in memory; the stored bytes of all rows add up to the file.

      EXAMPLE:
        nnpack inspect digits.nnrt
        nnpack inspect digits.nnrt --json
      """)

  @Argument(help: "The .nnrt file.") var file: String

  @Flag(help: "Print everything as JSON.") var json = false

  func run() throws {
    let report = try WholeFile.read(file) { (bytes) throws(NNError) in
      FileReport(
        path: file, try ModelFile.decode(bytes, keptAliveBy: nil), try ModelFile.layout(of: bytes))
    }
    print(json ? try JSON.text(report) : report.text)
  }
}
