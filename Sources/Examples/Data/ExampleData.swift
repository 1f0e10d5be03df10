import NNGraph
import NNTraining

/// The data sets that `tools/fetch-data` makes.
enum ExampleData {
  /// The path of a file of the data folder.
  static func path(_ name: String, _ run: ExampleRun) -> String { run.dataFolder + "/" + name }

  /// A table of the data folder in two parts, a fifth of each class (or of all rows) held out.
  static func table(
    _ name: String, target: String, _ run: ExampleRun
  ) throws(NNError) -> (parts: Example.Parts, classes: [String]) {
    let samples = try reading(run) { () throws(NNError) in
      try CSVTable(path: path(name, run)).samples(target: target)
    }
    let parts = try samples.dataset.split(
      fraction: 0.2, seed: run.settings.seed, stratified: !samples.classNames.isEmpty)
    return ((parts.rest, parts.held), samples.classNames)
  }

  /// 4,000 handwritten digits of 28×28 pixels to train on and 1,000 held out, pixels 0 (paper) to 255 (ink).
  static func mnist(_ run: ExampleRun) throws(NNError) -> Example.Parts {
    func part(_ name: String) throws(NNError) -> Dataset {
      try reading(run) { () throws(NNError) in
        try IDXFile.dataset(
          images: path("mnist/\(name)-images-idx3-ubyte", run),
          labels: path("mnist/\(name)-labels-idx1-ubyte", run))
      }
    }
    let training = try part("train")
    // A short run takes every eighth.
    let rows = Array(stride(from: 0, to: training.count, by: run.isQuick ? 8 : 1))
    return (try training.selecting(rows), try part("t10k"))
  }

  static func reading<Result>(
    _ run: ExampleRun, _ body: () throws(NNError) -> Result
  ) throws(NNError) -> Result {
    do throws(NNError) {
      return try body()
    } catch  where error.code == .fileAccess {
      throw NNError(
        .fileAccess, error.message + "; tools/fetch-data makes the data sets (--data says where they are)")
    }
  }
}
