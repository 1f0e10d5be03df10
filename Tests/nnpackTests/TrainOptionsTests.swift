import Foundation
import NNFormat
import NNGraph
import NNRuntime
import NNTraining
import NumPyFiles
import Testing

@testable import nnpack

/// The column of a CSV log.
private func column(_ name: String, _ path: String) throws -> [Double] {
  let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
    $0.split(separator: ",")
  }
  let index = try #require(lines[0].firstIndex { $0 == name })
  return lines.dropFirst().compactMap { Double($0[index]) }
}

@Suite struct TrainOptionsTests {
  @Test func helpNamesTheOptionsInGroups() throws {
    let help = try nnpack("train", "--help").output
    for group in ["DATA:", "MODEL:", "OPTIMISATION:", "OUTPUT:", "EXAMPLES:"] {
      #expect(help.contains("\n" + group))
    }
    #expect(try snapshot(help, "train-help.txt"), "\(help)")
  }

  @Test func whatDoesNotBelongTogetherIsRefused() throws {
    let table = ["t.csv", "--target", "a"]
    let wrong: [([String], String)] = [
      (["--example", "digits-mlp", "--optimizer", "sgd"], "--optimizer does not go with --example"),
      (["--example", "digits-mlp", "t.csv"], "a file of data does not go with --example"),
      (table + ["--quick"], "--quick goes with --example only"),
      (["t.csv"], "--target COLUMN says what to predict"),
      (["a.npz", "--target", "x"], "--target goes with a CSV file only"),
      (["--images", "x"], "--images and --labels belong together"),
      (["t.csv", "--images", "x", "--labels", "y"], "give one of"),
      (table + ["--optimizer", "adm"], "adam"), (table + ["--schedule", "x"], "one-cycle"),
      (table + ["--model", "restnet"], "did you mean \"resnet\"?"),
      (table + ["--model", "m.json", "--hidden", "3"], "--hidden goes with named networks"),
      (table + ["--hidden", "3,x"], "--hidden"),
      (table + ["--dropout", "1"], "--dropout takes a number in 0..<1"),
      (table + ["--clip-norm", "1", "--clip-value", "1"], "give one of --clip-norm and --clip-value"),
      (table + ["--find-learning-rate", "--learning-rate", "1"], "give one of them"),
      (table + ["--schedule", "plateau", "--warm-up", "1"], "--warm-up does not go with"),
      (table + ["--loss", "mse", "--label-smoothing", "0.1"], "--label-smoothing goes with"),
      (table + ["--checkpoint-every", "2"], "--checkpoint-every needs --checkpoint FILE"),
      (table + ["--accumulate", "0"], "--accumulate takes a number of at least 1"),
      (table + ["--hold-out", "1"], "--hold-out takes a number in 0..<1"),
      (table + ["--separator", "ab"], "'ab' is invalid for '--separator"),
      (table + ["--missing", "never"], "--missing"), (table + ["--average", "1"], "--average takes"),
      (table + ["--learning-rate", "nan"], "--learning-rate takes a positive number"),
      (table + ["--weight-decay=-1"], "--weight-decay takes a number of at least 0"),
      (table + ["--threads", "0"], "--threads"),
      (table + ["--classification", "--regression"], "--classification"),
    ]
    for (arguments, word) in wrong {
      let outcome = try nnpack(["train"] + arguments)
      #expect(outcome.status == 64 && outcome.output.isEmpty, "\(arguments): \(outcome.status)")
      #expect(outcome.errors.contains(word), "\(arguments): \(outcome.errors)")
    }
  }

  @Test func choicesThatDoNotSuitTheDataAreRefused() throws {
    try withTemporaryFolder { folder in
      let (flowers, houses) = (try TrainingData.flowers(folder), try TrainingData.houses(folder))
      let classes = ["train", flowers, "--target", "kind", "--output", folder + "/x"]
      let numbers = ["train", houses, "--target", "price", "--output", folder + "/x"]
      let wrong: [([String], Int32, String)] = [
        (classes + ["--loss", "mse"], 64, "--loss mse is not for 2 classes"),
        (numbers + ["--loss", "cross-entropy"], 64, "--loss cross-entropy is not for numbers"),
        (numbers + ["--class-weights", "balanced"], 64, "are for classes"),
        (classes + ["--metrics", "top-3"], 64, "1…2"),
        (classes + ["--metrics", "r2"], 64, "no metric \"r2\" of classes"),
        (numbers + ["--metrics", "accuracy"], 64, "no metric \"accuracy\" of numbers"),
        (classes + ["--model", "cnn"], 1, "samples have shape (4), the model takes images"),
        (classes + ["--freeze", "dense"], 1, "is called dense; there are the layers dense_1,"),
        (classes + ["--init-from", "/no/file.nnrt"], 1, "/no/file.nnrt"),
        (classes + ["--ignore", "smell"], 1, "no column \"smell\""),
        (classes + ["--hold-out", "0.001"], 1, "too few"),
        (["train", flowers, "--target", "smell"], 1, "no column \"smell\""),
      ]
      for (arguments, status, word) in wrong {
        let outcome = try nnpack(arguments)
        #expect(outcome.status == status && outcome.errors.contains(word), "\(arguments): \(outcome.errors)")
        #expect(!outcome.output.contains("epoch"))
      }
    }
  }

  @Test func aBadFieldIsNamedByFileLineAndColumn() throws {
    try withTemporaryFolder { folder in
      let path = try TrainingData.houses(folder)
      var lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { String($0) }
      lines[41] = "77,old,5000"
      try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
      let word = try nnpack("train", path, "--target", "price")
      #expect(
        word.status == 1 && word.errors.contains("houses.csv:42:2 (\"age\"): \"old\" is no number"),
        "\(word.errors)")
      lines[41] = "77,,5000"
      try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
      let gap = try nnpack("train", path, "--target", "price")
      #expect(gap.status == 1 && gap.errors.contains("houses.csv:42:2 (\"age\"): the value is missing"))
      let dropped = try train(
        [path, "--target", "price", "--missing", "drop", "--epochs", "1", "--hold-out", "0"], in: folder)
      #expect(
        dropped.output.contains("134 samples to train on, 15 to stop by, 0 held out"), "\(dropped.output)")
      #expect(lastLine(dropped.output) == "result: no samples held out")
    }
  }

  @Test func columnsAreChosenAndSeparated() throws {
    try withTemporaryFolder { folder in
      let path = try TrainingData.flowers(folder, separator: ";")
      let common = [path, "--target", "kind", "--separator", ";", "--epochs", "1"]
      func inputs(_ more: String...) throws -> String? {
        _ = try train(common + more, in: folder)
        return try Model.open(path: folder + "/model.nnrt").metadata[Metadata.inputDescriptionKey("input")]?
          .string
      }
      #expect(try inputs() == "length, width, colour=blue, colour=red")
      #expect(try inputs("--ignore", "colour") == "length, width")
      #expect(try inputs("--features", "colour,length", "--ignore", "colour") == "length")
      #expect(
        try inputs("--features", "width", "--categorical", "width")
          == "width=0, width=1, width=2, width=3, width=4")
    }
  }

  @Test func numbersAreToldWithAnyOptimiser() throws {
    try withTemporaryFolder { folder in
      let path = try TrainingData.houses(folder)
      let held = folder + "/held"
      let run = try train(
        [
          path, "--target", "price", "--optimizer", "momentum", "--epochs", "30", "--dropout", "0",
          "--held-out", held,
        ], in: folder)
      // What is told is what the file gives for the held-out samples.
      let (inputs, targets) = (
        try NPYFile.read(path: held + "/inputs.npy"), try NPYFile.read(path: held + "/targets.npy")
      )
      let predicted = try Session(try Model.open(path: folder + "/model.nnrt"))([inputs])[0].floats!
      let truth = try #require(targets.floats)
      let r2 = String(format: "%.4f", try Scores.r2(predicted: predicted, targets: truth))
      #expect(lastLine(run.output) == "result: held-out R2=\(r2)")
      #expect(try Scores.r2(predicted: predicted, targets: truth) > 0.95)
      let error = String(
        format: "%.4g", try Scores.rootMeanSquaredError(predicted: predicted, targets: truth))
      #expect(run.output.contains("held-out: R2 \(r2), RMSE \(error), MAE "), "\(run.output)")
      #expect(truth.count == 30 && truth.allSatisfy { $0 > 3000 })
      #expect(run.output.contains("validation loss"))
    }
  }

  @Test func classesOfNumbersAndNumbersOfFewValues() throws {
    try withTemporaryFolder { folder in
      let path = try TrainingData.flowers(folder)
      let told = try train([path, "--target", "width", "--epochs", "1"], in: folder)
      #expect(told.output.contains("5 classes to tell from length, colour=blue"))
      let numbers = try train(
        [path, "--target", "width", "--regression", "--epochs", "1", "--metrics", "absolute-error"],
        in: folder)
      #expect(
        numbers.output.contains("a number to tell from length")
          && numbers.output.contains("validation absolute_error"))
      let refused = try nnpack("train", path, "--target", "kind", "--regression")
      #expect(
        refused.status == 1 && refused.errors.contains("flowers.csv:2:4 (\"kind\")"), "\(refused.errors)")
    }
  }

  @Test func classesOfAnArchiveMayStandInAColumn() throws {
    try withTemporaryFolder { folder in
      func archive(_ classes: [Int64], _ extents: [Int]) throws -> String {
        let path = folder + "/data.npz"
        let x = try Tensor((0..<80).map { Float($0 % 9) }, extents: [40, 2])
        try NPZFile.write([("x", x), ("y", try Tensor(classes, extents: extents))], to: path)
        return path
      }
      let three = (0..<40).map { Int64($0 % 3) }
      for kind in [[], ["--classification"]] {
        let told = try train([try archive(three, [40, 1]), "--epochs", "1"] + kind, in: folder)
        #expect(told.output.contains("3 classes to tell from 2 numbers"), "\(told.output)")
      }
      let numbers = try train([try archive(three, [40, 1]), "--epochs", "1", "--regression"], in: folder)
      #expect(numbers.output.contains("a number to tell from 2 numbers"), "\(numbers.output)")
      let pairs = try nnpack("train", try archive(three + three, [40, 2]), "--classification")
      #expect(
        pairs.status == 64 && pairs.errors.contains("--classification needs one class"), "\(pairs.errors)")
      let one = try nnpack("train", try archive([Int64](repeating: 3, count: 40), [40]))
      #expect(one.status == 1 && one.errors.contains("there is one class only, 3"), "\(one.errors)")
    }
  }

  @Test func labelsOfOneClassAreRefused() throws {
    try withTemporaryFolder { folder in
      let paths = try TrainingData.stripes(folder)
      try Data([0, 0, 8, 1, 0, 0, 0, 60] + [UInt8](repeating: 4, count: 60)).write(
        to: URL(fileURLWithPath: paths.labels))
      let outcome = try nnpack("train", "--images", paths.images, "--labels", paths.labels)
      #expect(outcome.status == 1 && outcome.errors.contains("/labels: there is one class only, 4"))
    }
  }

  @Test func everyOptimiserTrains() throws {
    try withTemporaryFolder { folder in
      let path = try TrainingData.flowers(folder)
      var files: Set<Data> = []
      for optimizer in OptimizerName.allCases {
        let run = try train(
          [path, "--target", "kind", "--optimizer", optimizer.rawValue, "--epochs", "12", "--seed", "3"],
          in: folder)
        let accuracy = try #require(Double(lastLine(run.output).split(separator: "=").last ?? ""))
        #expect(accuracy > 0.8, "\(optimizer): \(run.output)")
        files.insert(run.file)
      }
      #expect(files.count == OptimizerName.allCases.count)
    }
  }

  @Test func everyOptionThatChangesTrainingChangesTheFile() throws {
    try withTemporaryFolder { folder in
      let common = [try TrainingData.flowers(folder), "--target", "kind", "--epochs", "4"]
      var files: [Data: [String]] = [:]
      for more in [
        [], ["--weight-decay", "0.1"], ["--l1", "0.01"], ["--clip-norm", "0.01"], ["--clip-value", "0.001"],
        ["--label-smoothing", "0.1"], ["--class-weights", "balanced"], ["--average", "0.9"],
        ["--accumulate", "2"],
        ["--batch-size", "16"], ["--no-standardize"], ["--validation", "0.3"], ["--hold-out", "0.4"],
        ["--seed", "2"],
        ["--warm-up", "0.5"], ["--model", "linear"], ["--hidden", "5"], ["--dropout", "0.5"],
        ["--loss", "hinge"],
        ["--loss", "binary-cross-entropy"], ["--find-learning-rate"], ["--freeze", "dense_1"],
      ]
        + ScheduleName.allCases.filter({ $0 != .cosine && $0 != .plateau }).map({
          ["--schedule", $0.rawValue]
        })
      {
        let file = try train(common + more, in: folder).file
        #expect(files[file] == nil, "\(more) gives the file of \(files[file] ?? [])")
        files[file] = more
      }
      // And what must not change it.
      let plain = try train(common, in: folder).file
      for more in [
        ["--threads", "2"], ["--gradient-watch"], ["--metrics", "accuracy,top-1,cross-entropy"],
        ["--standardize"],
      ] {
        #expect(try train(common + more, in: folder).file == plain, "\(more)")
      }
    }
  }

  @Test func accumulatedBatchesAreOneLargeBatch() throws {
    try withTemporaryFolder { folder in
      let common = [
        try TrainingData.houses(folder), "--target", "price", "--epochs", "6", "--dropout", "0", "--schedule",
        "constant",
      ]
      let large = try train(common + ["--batch-size", "36"], in: folder, name: "large")
      let small = try train(common + ["--batch-size", "9", "--accumulate", "4"], in: folder, name: "small")
      func numbers(_ text: String) -> [Double] {
        text.split(separator: "\n").filter { $0.hasPrefix("epoch") }.compactMap {
          Double($0.split(separator: " ")[3])
        }
      }
      #expect(numbers(large.output).count == 6)
      for (a, b) in zip(numbers(large.output), numbers(small.output)) {
        #expect((a - b).magnitude < 2e-4 * max(a, 1))
      }
      #expect(lastLine(large.output).dropLast() == lastLine(small.output).dropLast())
    }
  }

  @Test func schedulesSetTheRateOfEachEpoch() throws {
    try withTemporaryFolder { folder in
      let log = folder + "/log.csv"
      func rates(_ more: String...) throws -> [Double] {
        _ = try train(
          [
            try TrainingData.flowers(folder), "--target", "kind", "--epochs", "6", "--learning-rate", "0.01",
            "--early-stopping", "0", "--csv-log", log,
          ] + more, in: folder)
        return try column("learning_rate", log)
      }
      let base = Double(Float(0.01))
      #expect(try rates("--schedule", "constant") == [Double](repeating: base, count: 6))
      let steps = try rates("--schedule", "step")
      #expect(
        zip(steps, [1, 0.1, 0.1, 0.01, 0.01, 0.001]).allSatisfy { ($0 - base * $1).magnitude < 1e-9 },
        "\(steps)")
      let exponential = try rates("--schedule", "exponential")
      #expect((exponential[5] / base - 0.01).magnitude < 1e-9 && exponential == exponential.sorted(by: >))
      let cosine = try rates()
      #expect((cosine[5] / base - 0.05).magnitude < 1e-9)
      let warm = try rates("--schedule", "constant", "--warm-up", "2")
      #expect(warm[0] < base && warm[1] == base && warm[5] == base)
    }
  }

  @Test func earlyStoppingEndsATrainingThatNoLongerImproves() throws {
    try withTemporaryFolder { folder in
      let common = [
        try TrainingData.flowers(folder, rows: 60), "--target", "width", "--epochs", "60", "--learning-rate",
        "0.05",
      ]
      func epochs(_ more: String...) throws -> Int {
        try train(common + more, in: folder).output.split(separator: "\n").count { $0.hasPrefix("epoch ") }
      }
      #expect(try epochs("--early-stopping", "2") < 60)
      #expect(try epochs("--early-stopping", "0") == 60)
    }
  }

  @Test func learningRatesAreTriedAndOneIsUsed() throws {
    try withTemporaryFolder { folder in
      let run = try train(
        [try TrainingData.flowers(folder), "--target", "kind", "--epochs", "2", "--find-learning-rate"],
        in: folder)
      #expect(run.output.contains("learning rate    loss\n"))
      let found = try #require(
        run.output.split(separator: "\n").first { $0.hasPrefix("the loss falls fastest at") })
      let rate = try #require(found.split(separator: " ").last)
      #expect(run.output.contains("adamw at a learning rate of \(rate),"), "\(run.output)")
    }
  }

  @Test func twoClassesByOneNumber() throws {
    try withTemporaryFolder { folder in
      let path = try TrainingData.flowers(folder)
      let run = try train(
        [path, "--target", "kind", "--loss", "binary-cross-entropy", "--epochs", "15", "--held-out", folder],
        in: folder)
      #expect(lastLine(run.output) == "result: held-out accuracy=1.0000", "\(run.output)")
      let model = try Model.open(path: folder + "/model.nnrt")
      #expect(model.metadata[Metadata.outputDescriptionKey("output")]?.string == "the probability of rose")
      let inputs = try NPYFile.read(path: folder + "/inputs.npy")
      let told = try Session(model)([inputs])[0]
      #expect(told.extents == [24, 1] && told.floats!.allSatisfy { $0 > 0 && $0 < 1 })
      let refused = try nnpack("train", path, "--target", "width", "--loss", "hinge")
      #expect(refused.status == 64 && refused.errors.contains("tells two classes, and there are 5"))
    }
  }

  @Test func aPageIsWrittenAboutTheTraining() throws {
    try withTemporaryFolder { folder in
      let (images, labels) = try TrainingData.stripes(folder)
      let page = folder + "/report.html"
      for arguments in [
        ["--images", images, "--labels", labels], [try TrainingData.houses(folder), "--target", "price"],
        [try TrainingData.flowers(folder), "--target", "kind", "--loss", "hinge", "--average", "0.9"],
      ] {
        // The page does not change what is trained.
        let plain = try train(arguments + ["--epochs", "2"], in: folder)
        let run = try train(arguments + ["--epochs", "2", "--report", page], in: folder)
        #expect(run.file == plain.file)
        let text = try String(contentsOfFile: page, encoding: .utf8)
        #expect(text.contains("<html") && text.contains("dense_1"))
        #expect(text.contains("Held-out samples"))
        try FileManager.default.removeItem(atPath: page)
      }
      let example = try nnpack(
        "train", "--example", "digits-mlp", "--epochs", "1", "--report", page, "--output",
        folder + "/digits.nnrt")
      #expect(example.status == 0, "\(example.errors)")
      #expect(try String(contentsOfFile: page, encoding: .utf8).contains("digits-mlp"))
      let missing = try nnpack(
        "train", "--images", images, "--labels", labels, "--report", "/no/such/folder/page.html", "--output",
        folder + "/x")
      #expect(missing.status == 1 && !missing.output.contains("epoch"))
    }
  }

  @Test func confusionsOfFewClassesAreATable() throws {
    try withTemporaryFolder { folder in
      let run = try train(
        [try TrainingData.flowers(folder), "--target", "kind", "--epochs", "15"], in: folder)
      #expect(
        run.output.hasSuffix(
          """
          held-out: accuracy 1.0000, macro F1 1.0000 over 24 samples
            true \\ told  daisy  rose
            daisy           16     0
            rose             0     8
          result: held-out accuracy=1.0000

          """), "\(run.output)")
      let many = try train(
        [
          try TrainingData.houses(folder), "--target", "age", "--classification", "--epochs", "1",
          "--validation", "0",
          "--hold-out", "0.4",
        ], in: folder)
      #expect(many.output.contains("40 classes to tell") && !many.output.contains("told"))
    }
  }
}
