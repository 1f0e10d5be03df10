import ArgumentParser
import Files
import NNGraph

extension Convert {
  /// A line of a list of conversions.
  private struct Job {
    let input: String
    let output: String
  }

  /// Converts what it can, says on standard error what it cannot, and fails if there was any.
  func convertAll(_ list: String) throws {
    let jobs = try Convert.jobs(list)
    let conversion = try conversion(isQuiet: true)
    var failures = 0
    for job in jobs {
      do {
        _ = try convert(job.input, to: job.output) { conversion }
      } catch {
        failures += 1
        StandardError.write("nnpack: \(NNPack.message(for: error))\n")
      }
    }
    if failures > 0 { throw ExitCode.failure }
  }

  /// The lines of a list, each of which must be right before the first is done.
  private static func jobs(_ list: String) throws(NNError) -> [Job] {
    let text = try WholeFile.read(list) { (bytes) throws(NNError) in String(decoding: bytes, as: UTF8.self) }
    var files = FileRoles()
    files.reads(list, as: "the list")
    var jobs: [Job] = []
    for (number, line) in text.lines.enumerated() where !line.isEmpty {
      let paths = line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0) }
      let place = "line \(number + 1)"
      guard paths.count == 2, !paths[0].isEmpty, !paths[1].isEmpty else {
        throw NNError(
          .invalidArgument, Message(text: "\(list), \(place): not two paths with a tab between them"))
      }
      // A later line may well begin with what an earlier one made, but none may take away what another one reads or has made.
      do throws(NNError) {
        try files.writes(paths[1], as: "the output of \(place)")
      } catch {
        throw error.within(list)
      }
      files.reads(paths[0], as: "the model of \(place)")
      jobs.append(Job(input: paths[0], output: paths[1]))
    }
    return jobs
  }
}
