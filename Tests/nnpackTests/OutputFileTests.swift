import Foundation
import NNFormat
import NNGraph
import NNRuntime
import NumPyFiles
import Testing

private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

private func mode(_ path: String) -> mode_t {
  var status = stat()
  return stat(path, &status) == 0 ? status.st_mode : 0
}

@Suite struct OutputFileTests {
  @Test func aPipeIsWrittenToAsItIs() throws {
    try withTemporaryFolder { folder in
      let (model, x, y) = (folder + "/small.nnrt", folder + "/x.npy", folder + "/y.npy")
      try writeModel(model)
      try writeArray([1, 2], [1, 2], to: x)
      #expect(try nnpack("run", model, "-i", x, "-o", y).status == 0)
      let pipe = folder + "/pipe"
      #expect(mkfifo(pipe, 0o600) == 0)
      // Opened for both, the pipe waits for nobody, and holds what is written.
      let reader = open(pipe, O_RDWR)
      defer { close(reader) }
      let outcome = try nnpack("run", model, "-i", x, "-o", pipe)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(mode(pipe) & S_IFMT == S_IFIFO)
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = read(reader, &buffer, buffer.count)
      #expect(Data(buffer.prefix(max(count, 0))) == (try bytes(y)))
    }
  }

  @Test func standardOutputTakesAFileWithoutBeingReplaced() throws {
    try withTemporaryFolder { folder in
      let (model, x, y, all) = (
        folder + "/small.nnrt", folder + "/x.npy", folder + "/y.npy", folder + "/all"
      )
      try writeModel(model)
      try writeArray([1, 2], [1, 2], to: x)
      #expect(try nnpack("run", model, "-i", x, "-o", y).status == 0)
      let outcome = try nnpack(
        ["run", model, "-i", x, "-o", "/dev/stdout"], after: "exec > '\(all)'; echo before")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let text = try bytes(all)
      #expect(text.starts(with: Data("before\n".utf8) + (try bytes(y))))
      #expect(String(decoding: text, as: UTF8.self).contains("run in "))
    }
  }

  @Test func aLinkStaysAndAModeToo() throws {
    try withTemporaryFolder { folder in
      let (model, file, link) = (folder + "/small.nnrt", folder + "/to/out.nnrt", folder + "/link.nnrt")
      try writeModel(model)
      try FileManager.default.createDirectory(atPath: folder + "/to", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "to/out.nnrt")
      // What the link leads to is not there yet, and then it is.
      for permissions in [nil, 0o640, 0o604] as [mode_t?] {
        if let permissions { #expect(chmod(file, permissions) == 0) }
        #expect(try nnpack("convert", model, link).status == 0)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "to/out.nnrt")
        #expect(try Model.open(path: file).graph.inputs.count == 1)
        if let permissions { #expect(mode(file) & 0o7777 == permissions) }
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder + "/to")
      #expect(left == ["out.nnrt"])
    }
  }

  @Test(.enabled(if: geteuid() != 0, "nothing is closed to root"))
  func aFileThatMayNotBeWrittenIsLeftAlone() throws {
    try withTemporaryFolder { folder in
      let (model, file) = (folder + "/small.nnrt", folder + "/out.nnrt")
      try writeModel(model)
      try Data("mine".utf8).write(to: URL(fileURLWithPath: file))
      #expect(chmod(file, 0o444) == 0)
      let outcome = try nnpack("convert", model, file)
      #expect(outcome.status == 1 && outcome.errors == "nnpack: \(file): Permission denied\n")
      #expect(try bytes(file) == Data("mine".utf8))
    }
  }

  @Test func aNameMayBeAsLongAsTheSystemAllows() throws {
    try withTemporaryFolder { folder in
      let model = folder + "/small.nnrt"
      try writeModel(model)
      let longest = folder + "/" + String(repeating: "ü", count: 125) + ".nnrt"
      #expect(try nnpack("convert", model, longest).status == 0)
      #expect(try Model.open(path: longest).graph.inputs.count == 1)
      let outcome = try nnpack("convert", model, folder + "/" + String(repeating: "a", count: 256))
      #expect(outcome.status == 1 && outcome.errors.contains("File name too long"), "\(outcome.errors)")
    }
  }

  @Test func nothingIsWrittenOverWhatIsRead() throws {
    try withTemporaryFolder { folder in
      let (model, x) = (folder + "/small.nnrt", folder + "/x.npy")
      try writeModel(model)
      try writeArray([1, 2], [1, 2], to: x)
      let data = try TrainingData.flowers(folder)
      let onnx = folder + "/m.onnx"
      try bytes(onnxModel("words")).write(to: URL(fileURLWithPath: onnx))
      try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: data)
      #expect(link(x, folder + "/other.npy") == 0 && link(onnx, folder + "/hard.nnrt") == 0)
      let train = ["train", data, "--target", "kind", "--epochs", "1"]
      let before = try [model, x, data, onnx].map { try bytes($0) }
      for (arguments, words) in [
        (train + ["-o", data], "the model would be written over the data"),
        (train + ["-o", folder + "/link"], "would be written over the data, \(data)"),
        (train + ["-o", folder + "/m", "--csv-log", data], "--csv-log would be written over the data"),
        (train + ["-o", folder + "/m", "--report", data], "--report would be written over the data"),
        (train + ["-o", folder + "/m", "--checkpoint", data], "--checkpoint would be written over the data"),
        (train + ["-o", folder + "/m", "--init-from", folder + "/m"], "over --init-from"),
        (
          train + ["-o", folder + "/m", "--csv-log", folder + "/./m"],
          "--csv-log would be written over the model"
        ),
        (["convert", onnx, folder + "/hard.nnrt"], "over the model, \(onnx)"),
        (
          ["convert", onnx, folder + "/x", "--weights-from", folder + "/x"], "over the file of --weights-from"
        ),
        (["run", model, "-i", x, "-o", x], "output \"y\" would be written over input \"x\""),
        (["run", model, "-i", x, "-o", folder + "/other.npy"], "over input \"x\", \(x)"),
        (["run", model, "-i", x, "-o", model], "over the model"),
        (["profile", model, "--runs", "1", "--trace", model], "--trace would be written over the model"),
      ] as [([String], String)] {
        let outcome = try nnpack(arguments)
        #expect(outcome.status == 1 && outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
        #expect(!outcome.output.contains("epoch"))
      }
      #expect(try [model, x, data, onnx].map { try bytes($0) } == before)
      #expect(!FileManager.default.fileExists(atPath: folder + "/m"))
    }
  }

  @Test func aModelFileMayBeReplacedByItself() throws {
    try withTemporaryFolder { folder in
      let (model, weights) = (folder + "/small.nnrt", folder + "/weights.npz")
      try writeModel(model)
      try NPZFile.write([("V", try Tensor([Float](repeating: 0, count: 6), extents: [3, 2]))], to: weights)
      let outcome = try nnpack("convert", model, model, "--weights-from", weights)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try Model.open(path: model).selfTests()[0].outputs[0].floats == [0.5, 0.5])
      // With its own weights it stays what it is.
      #expect(try nnpack("verify", model).status == 0)
    }
  }

  @Test func outputsOfOneNameInAFolderAreRefused() throws {
    try withTemporaryFolder { folder in
      var graph = Graph(name: "two")
      let a = graph.addInput("a", .f32, [2])
      graph.addOutput(try graph.append(.binary(.add), [a, a]), name: "a/b")
      graph.addOutput(try graph.append(.unary(.identity), [a]), name: "a_b")
      let (model, x) = (folder + "/two.nnrt", folder + "/x.npy")
      try ModelFile(graph: graph).write(to: model)
      try writeArray([1, 2], [2], to: x)
      let outcome = try nnpack("run", model, "-i", x, "--output-dir", folder + "/out")
      #expect(outcome.status == 1 && outcome.errors.contains("\"a/b\"") && outcome.errors.contains("\"a_b\""))
      #expect(!FileManager.default.fileExists(atPath: folder + "/out"))
      #expect(
        try nnpack("run", model, "-i", x, "--output-dir", folder + "/out", "-o", "a/b=\(folder)/y.npy").status
          == 0)
    }
  }

  @Test func whatCannotBeWrittenIsSaidBeforeTheTraining() throws {
    try withTemporaryFolder { folder in
      let train = ["train", try TrainingData.flowers(folder), "--target", "kind", "--epochs", "1"]
      let model = ["-o", folder + "/m.nnrt"]
      for (arguments, words) in [
        (["-o", folder], "\(folder): Is a directory"), (["-o", ""], "the model has no name"),
        (model + ["--report", folder], "\(folder): Is a directory"),
        (model + ["--csv-log", folder + "/no/log"], "there is no folder \(folder)/no"),
        (model + ["--checkpoint", folder], "Is a directory"),
        (model + ["--held-out", folder + "/flowers.csv"], "flowers.csv: Not a directory"),
        (model + ["--tensorboard", folder + "/flowers.csv"], "flowers.csv: Not a directory"),
      ] {
        let outcome = try nnpack(train + arguments)
        #expect(outcome.status == 1 && outcome.output.isEmpty, "\(arguments): \(outcome.output)")
        #expect(outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
      }
      #expect(!FileManager.default.fileExists(atPath: folder + "/m.nnrt"))
    }
  }

  @Test func theModelIsWrittenEvenIfTheReportCannotBe() throws {
    try withTemporaryFolder { folder in
      let (model, report) = (folder + "/m.nnrt", folder + "/report.html")
      for source in [
        [try TrainingData.flowers(folder), "--target", "kind", "--hidden", "8"], ["--example", "digits-rnn"],
      ] {
        let arguments = ["train"] + source + ["--epochs", "1", "-o", model, "--report", report]
        #expect(try nnpack(arguments).status == 0)
        let (small, large) = (try bytes(model), try bytes(report).count)
        #expect(large > small.count + 2048)
        for path in [model, report] { try FileManager.default.removeItem(atPath: path) }
        // As on a disk that has room for the one and not for the other.
        let outcome = try nnpack(
          arguments, after: "trap '' XFSZ; ulimit -f \((small.count + large) / 1024)")
        #expect(
          outcome.status == 1 && outcome.errors == "nnpack: \(report): File too large\n", "\(outcome.errors)")
        #expect(outcome.output.contains("\nresult: "))
        #expect(try bytes(model) == small)
        #expect(!FileManager.default.fileExists(atPath: report))
      }
    }
  }

  @Test func aFullStandardOutputIsAnError() throws {
    try withTemporaryFolder { folder in
      let model = folder + "/small.nnrt"
      try writeModel(model)
      for arguments in [["inspect", model], ["--help"]] {
        let outcome = try nnpack(arguments, after: "exec > /dev/full")
        #expect(outcome.status == 1, "\(arguments)")
        #expect(outcome.errors == "nnpack: standard output: No space left on device\n", "\(outcome.errors)")
      }
      // A reader that has gone wants no message.
      let pipe = folder + "/pipe"
      #expect(mkfifo(pipe, 0o600) == 0)
      let gone = try nnpack(
        ["inspect", model], after: "trap '' PIPE; exec 9<>'\(pipe)'; exec > '\(pipe)'; exec 9<&-")
      #expect(gone.status == 1 && gone.errors.isEmpty, "\(gone.errors)")
    }
  }
}
