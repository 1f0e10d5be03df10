import Foundation
import ImageFiles
import NNRuntime
import NNTraining
import Testing

@testable import nnpack

/// Pictures of two classes, in folders of their names: bright discs to the left or to the right, of several sizes.
private func pictures(_ folder: String, isGray: Bool) throws -> String {
  let root = folder + "/pictures"
  for (label, name) in ["left", "right"].enumerated() {
    try FileManager.default.createDirectory(atPath: root + "/" + name, withIntermediateDirectories: true)
    for number in 0..<24 {
      let side = 12 + number % 5
      let centre = (row: side / 2 + number % 3 - 1, column: label == 0 ? side / 4 : side - side / 4)
      var pixels: [UInt8] = []
      for row in 0..<side {
        for column in 0..<side {
          let distance =
            (row - centre.row) * (row - centre.row) + (column - centre.column) * (column - centre.column)
          let value = distance <= 6 ? UInt8(220) : UInt8((row * 7 + column * 11 + number * 5) % 50)
          pixels += isGray ? [value] : [value, value / 2, UInt8(number * 3)]
        }
      }
      try PNG.write(
        width: side, height: side, channels: isGray ? 1 : 3, pixels: pixels,
        to: "\(root)/\(name)/\(number).png")
    }
  }
  return root
}

@Suite struct TrainImageTests {
  @Test(arguments: [true, false]) func aFolderOfImagesIsLearnt(isGray: Bool) throws {
    try withTemporaryFolder { folder in
      let root = try pictures(folder, isGray: isGray)
      let run = try train(
        [root, "--size", "12", "--epochs", "30", "--learning-rate", "0.01", "--batch-size", "8"], in: folder)
      let channels = isGray ? 1 : 3
      #expect(
        run.output.contains(
          "2 classes to tell from an image (channel, row, column) of \(channels)×12×12 pixels, 0 to 255; "),
        "\(run.output)")
      let accuracy = try #require(Double(lastLine(run.output).split(separator: "=").last ?? ""))
      #expect(accuracy >= 0.9, "\(run.output)")
      #expect(run.output.contains("true \\ told  left  right"))
      let model = try Model.open(path: folder + "/model.nnrt")
      #expect(model.metadata.labels.map { $0.string } == ["left", "right"])
      let sized = try nnpack("train", root)
      #expect(sized.status == 1 && sized.errors.contains("give a size that all get"), "\(sized.errors)")
    }
  }

  @Test func everyAugmentationChangesTheTraining() throws {
    try withTemporaryFolder { folder in
      let common = [
        try pictures(folder, isGray: false), "--size", "12x14", "--epochs", "2", "--model", "linear",
        "--no-standardize", "--batch-size", "8",
      ]
      var files: [Data: String] = [try train(common, in: folder).file: "none"]
      for change in [
        "flip", "vflip=0.7", "crop=2", "shift", "rotate=30", "noise=5", "color=0.5", "mixup=0.4", "cutmix",
        "mixup,cutmix", "flip,shift=1,mixup=0.2",
      ] {
        let file = try train(common + ["--augment", change], in: folder).file
        #expect(files[file] == nil, "\(change) gives what \(files[file] ?? "") gives")
        files[file] = change
      }
      // The same again, with accumulated gradients too.
      let again = common + ["--augment", "flip,crop=2,cutmix", "--accumulate", "2", "--batch-size", "8"]
      #expect(try train(again, in: folder).file == train(again, in: folder).file)
    }
  }

  @Test func augmentationsThatAreNoneAreRefused() throws {
    try withTemporaryFolder { folder in
      for (arguments, word) in [
        (["--augment", "flop"], "--augment"), (["--augment", "flip,flip"], "--augment"),
        (["--augment", "rotate=x"], "--augment"),
        (["--augment", "shift=-1"], "--augment"), (["--size", "0"], "--size"), (["--size", "3x"], "--size"),
        (["--target", "x"], "--target goes with a CSV file only"),
      ] {
        let outcome = try nnpack(["train", folder] + arguments)
        #expect(outcome.status == 64 && outcome.errors.contains(word), "\(arguments): \(outcome.errors)")
      }
      let empty = try nnpack("train", folder)
      #expect(empty.status == 1 && empty.errors.contains("each class has one with its images"))
      let table = try nnpack(
        "train", try TrainingData.flowers(folder), "--target", "kind", "--augment", "flip")
      #expect(table.status == 64 && table.errors.contains("--augment goes with images only"))
      let hinge = try nnpack(
        [
          "train", try pictures(folder, isGray: true), "--size", "8", "--loss", "hinge", "--augment", "mixup",
          "--output", folder + "/x",
        ])
      #expect(hinge.status == 1 && hinge.errors.contains("which the loss"), "\(hinge.errors)")
    }
  }
}
