import Foundation
import ImageFiles
import NNFormat
import NNGraph
import NNRuntime
import NumPyFiles
import Testing

@testable import nnpack

private func write(_ text: String, _ path: String) throws {
  try Data(text.utf8).write(to: URL(fileURLWithPath: path))
}

@Suite struct TrainChoiceTests {
  @Test func aTrainingIsResumedWithTheSameDataAndSettingsOnly() throws {
    try withTemporaryFolder { folder in
      let path = try TrainingData.flowers(folder)
      func train(_ more: String...) throws -> Outcome {
        try nnpack(
          [
            "train", path, "--target", "kind", "--checkpoint", folder + "/checkpoint", "--resume", "-o",
            folder + "/m.nnrt",
          ] + more)
      }
      #expect(try train("--epochs", "3").status == 0)
      for (options, words) in [
        (["--dropout", "0.3"], "the network is another one"),
        (["--hidden", "7"], "the network is another one"),
        (["--schedule", "step"], "the schedule was cosine and is step"),
        (["--learning-rate", "0.5"], "the learning rate was 0.002 and is 0.5"),
        (["--seed", "3"], "the seed was 1 and is 3"), (["--hold-out", "0.3"], "the data to train on was"),
        (["--validation", "0.2"], "the data to stop by was"),
        (["--batch-size", "8"], "the batch size was 32 and is 8"),
      ] {
        let outcome = try nnpack(
          [
            "train", path, "--target", "kind", "--checkpoint", folder + "/checkpoint", "--resume", "-o",
            folder + "/m.nnrt", "--epochs", "4",
          ] + options)
        #expect(
          outcome.status == 1 && outcome.errors.contains("belongs to another training")
            && outcome.errors.contains(words), "\(options): \(outcome.errors)")
      }
      let fewer = try train("--epochs", "2")
      #expect(
        fewer.status == 1 && fewer.errors.contains("has done 3 epochs, more than the 2"), "\(fewer.errors)")
      let more = try train("--epochs", "5", "--threads", "2")
      #expect(more.status == 0 && more.output.contains("epoch 4/5"), "\(more.errors)")
      var lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { String($0) }
      lines[7] = "41,3,blue,daisy"
      try write(lines.joined(separator: "\n"), path)
      let other = try train("--epochs", "6")
      #expect(other.status == 1 && other.errors.contains("checksum"), "\(other.errors)")
    }
  }

  @Test func aColumnOfTooManyCategoriesIsNamed() throws {
    try withTemporaryFolder { folder in
      var text = "id,length,kind\n"
      for row in 0..<5000 { text += "n\(row),\(row % 50),\(row % 50 < 25 ? "a" : "b")\n" }
      try write(text, folder + "/names.csv")
      let train = ["train", folder + "/names.csv", "--target", "kind", "--epochs", "1", "-o", folder + "/m"]
      let outcome = try nnpack(train)
      #expect(
        outcome.status == 1 && outcome.errors.contains("column \"id\" has 5000 categories")
          && outcome.errors.contains("--ignore"), "\(outcome.errors)")
      #expect(try nnpack(train + ["--ignore", "id"]).status == 0)
    }
  }

  @Test func imagesThatDoNotFitIntoMemoryAreAnError() throws {
    try withTemporaryFolder { folder in
      for name in ["cat/1.png", "dog/1.png"] {
        let path = folder + "/pictures/" + name
        try FileManager.default.createDirectory(
          atPath: String(path.dropLast(6)), withIntermediateDirectories: true)
        for number in 1...3 {
          try PNG.write(
            width: 2, height: 2, channels: 1, pixels: [0, 50, 100, 150],
            to: path.dropLast(5) + "\(number).png")
        }
        try write("note", path.dropLast(5) + "note.txt")
      }
      let train = ["train", folder + "/pictures", "--epochs", "1", "-o", folder + "/m"]
      let outcome = try nnpack(train + ["--size", "16384"])
      #expect(outcome.status == 1 && outcome.errors.contains("choose a smaller size"), "\(outcome.errors)")
      let skipped = try nnpack(train + ["--size", "8", "--hold-out", "0.34", "--validation", "0"])
      #expect(skipped.status == 0 && skipped.errors.contains("2 files are no .png"), "\(skipped.errors)")
      let missing = try nnpack("train", folder + "/nothing/")
      #expect(missing.errors.contains("\(folder)/nothing/: No such file or directory"), "\(missing.errors)")
    }
  }

  @Test func numbersMayBeNegative() throws {
    try withTemporaryFolder { folder in
      try write(
        "a,b\n" + (0..<60).map { "\($0 % 7 == 0 ? "" : "\($0)"),\($0 * 2)\n" }.joined(), folder + "/t.csv")
      let train = ["train", folder + "/t.csv", "--target", "b", "--epochs", "1", "-o", folder + "/m"]
      #expect(try nnpack(train + ["--missing", "-1"]).status == 0)
      for (options, words) in [
        (["--seed", "-1"], "'-1' is invalid for '--seed"), (["--epochs", "-1"], "at least 1"),
        (["--learning-rate", "-1"], "positive"),
      ] {
        let outcome = try nnpack(train + options)
        #expect(outcome.status == 64 && outcome.errors.contains(words), "\(outcome.errors)")
      }
      let top = try nnpack("run", folder + "/m", "--top", "-1")
      #expect(top.status == 64 && top.errors.contains("--top takes a number of at least 1"))
    }
  }

  @Test func absurdNumbersOfEpochsDoNotTrap() {
    let progress = Progress(
      epoch: 1, epochs: .max, samples: 3, samplesPerEpoch: 1 << 40, loss: 1, accuracy: nil,
      samplesPerSecond: 1)
    #expect(progress.timeLeft > 1e20 && progress.timeLeft.clock == "?")
    #expect(ProgressPrinter.bar(progress, width: 80).count < 80)
  }

  @Test func examplesRefuseWhatTheyDoNotGive() throws {
    for option in ["--checkpoint", "--csv-log", "--tensorboard", "--report", "--held-out"] {
      let outcome = try nnpack("train", "--example", "ring-gan", option, "x")
      #expect(
        outcome.status == 64 && outcome.errors.contains("\(option) does not go with --example ring-gan"),
        "\(outcome.errors)")
    }
    #expect(try nnpack("train", "--example", "digits-anomaly", "--report", "x").status == 64)
  }

  @Test func whatTrainingNeverSeesFillsNoGapsAndMakesNoCategories() throws {
    try withTemporaryFolder { folder in
      // A category for each row that no other row has: held-out ones have none of the network's.
      try write(
        "a, b ,kind\n" + (0..<50).map { "\($0 % 9),c\($0),\($0 % 2 == 0 ? "x" : "y")\n" }.joined(),
        folder + "/t.csv")
      let run = try train(
        [
          folder + "/t.csv", "--target", "kind", "--epochs", "1", "--held-out", folder + "/held",
          "--validation", "0",
        ],
        in: folder)
      #expect(run.output.contains("40 samples to train on"), "\(run.output)")
      let held = try NPYFile.read(path: folder + "/held/inputs.npy")
      #expect(held.extents == [10, 41])
      let values = try #require(held.floats)
      for row in 0..<10 { #expect(values[row * 41 + 1..<(row + 1) * 41].allSatisfy { $0 == 0 }) }
      let described = try Model.open(path: folder + "/model.nnrt").metadata[
        Metadata.inputDescriptionKey("input")]
      #expect(described?.string.contains("b=c") == true && described?.string.contains(" b =") == false)
    }
  }

  @Test func theFileHasTheNamesOfBothClassesAndNoPath() throws {
    try withTemporaryFolder { folder in
      try write(
        "a,kind\n" + (0..<40).map { "\($0),\($0 % 2 == 0 ? "\"one\nline\"" : "two")\n" }.joined(),
        folder + "/t.csv")
      let arguments = [
        folder + "/t.csv", "--target", "kind", "--epochs", "1", "--loss", "binary-cross-entropy",
      ]
      let run = try train(arguments, in: folder)
      let model = try Model.open(path: folder + "/model.nnrt")
      #expect(model.metadata.name?.string == "model")
      #expect(model.metadata.labels.map { $0.string } == ["one line", "two"])
      try FileManager.default.createDirectory(atPath: folder + "/other", withIntermediateDirectories: true)
      #expect(try train(arguments, in: folder + "/other").file == run.file)
      try writeArray([3], [1, 1], to: folder + "/x.npy")
      let told = try nnpack("run", folder + "/model.nnrt", "-i", folder + "/x.npy", "--top", "1")
      #expect(told.output.contains("row 0: two "), "\(told.output)")
    }
  }

  @Test func stoppingEarlyIsTold() throws {
    try withTemporaryFolder { folder in
      let arguments = [
        try TrainingData.flowers(folder), "--target", "kind", "--epochs", "60", "--early-stopping", "1",
        "--learning-rate", "0.5",
      ]
      let output = try train(arguments, in: folder).output
      let last = output.components(separatedBy: "\nepoch ").count - 1
      let told =
        "\nstopped after epoch \(last), 1 without improvement; the weights are those of epoch \(last - 1), the best\n"
      #expect(output.contains(told), "\(output)")
    }
  }
}
