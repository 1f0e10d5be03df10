import NNFormat
import NNGraph
import NNTraining

// What the examples on the digits share.
extension Digits {
  /// The digits in two parts: four fifths to train on, a fifth of each class held out.
  static func split(sampleShape: [Int], seed: UInt64) throws(NNError) -> (training: Dataset, held: Dataset) {
    let (pixels, labels) = try load()
    let all = try Dataset(features: pixels, sampleShape: sampleShape, targets: .classes(labels))
    let parts = try all.split(fraction: 0.2, seed: seed, stratified: true)
    return (parts.rest, parts.held)
  }

  static func metadata(name: String, input: String, labels: Range<Int> = 0..<10) -> Metadata {
    var metadata = Metadata()
    metadata.name = Name(name)
    metadata.description =
      Name(
        "Tells which digit from \(labels.lowerBound) to \(labels.upperBound - 1) an 8×8 image shows, as probabilities."
      )
    metadata.authors = "the nnrt examples"
    metadata.licence = Name(licence)
    metadata.labels = labels.map { Name("\($0)") }
    metadata.setInputDescription("input", Name(input + ", each from 0 (paper) to 16 (ink)"))
    metadata["data"] = Name(source)
    return metadata
  }
}
