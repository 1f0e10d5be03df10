import Foundation
import NNFormat
import NNRuntime
import NumPyFiles
import Testing

@testable import nnpack

private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

@Test func listNamesTheExamples() throws {
  let outcome = try nnpack("train", "--list")
  #expect(
    outcome.status == 0 && outcome.output.contains("digits-mlp") && outcome.output.contains("digits-cnn"))
}

@Test func pipedTrainingPrintsPlainLinesAndWritesAModelThatPredicts() throws {
  try withTemporaryFolder { folder in
    let (model, held) = (folder + "/mlp.nnrt", folder + "/held")
    let outcome = try nnpack(
      "train", "--example", "digits-mlp", "--epochs", "3", "--output", model, "--held-out", held)
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    #expect(!outcome.output.contains("\r") && !outcome.output.contains("\u{1B}"))
    #expect(outcome.output.split(separator: "\n").filter { $0.hasPrefix("epoch ") }.count == 3)
    // The accuracy it tells is that of the file over the held-out samples.
    let (inputs, labels) = (
      try NPYFile.read(path: held + "/inputs.npy"), try NPYFile.read(path: held + "/labels.npy")
    )
    #expect(inputs.extents == [359, 64] && labels.extents == [359])
    let loaded = try Model.open(path: model)
    let probabilities = try Session(loaded)([inputs])[0].floats!
    let classes = labels.bytes.bindMemory(to: Int64.self)
    let right = (0..<359).count { row in
      let scores = probabilities[row * 10..<(row + 1) * 10]
      return Int64(scores.firstIndex(of: scores.max()!)! - row * 10) == classes[row]
    }
    let accuracy = String(format: "%.4f", Double(right) / 359)
    #expect(outcome.output.contains("result: digits-mlp accuracy=\(accuracy) mark=0.98"), "\(outcome.output)")
    #expect(right > 300)
    #expect(loaded.metadata.labels.count == 10 && loaded.metadata.licence?.string == "CC BY 4.0")
    try loaded.selfTest()
  }
}

@Test func aTableBecomesAModelThatTakesRawFeatures() throws {
  try withTemporaryFolder { folder in
    let (table, model, held) = (folder + "/flowers.csv", folder + "/flowers.nnrt", folder + "/held")
    var text = "length,colour,kind\n"
    for row in 0..<200 {
      let isBig = row % 2 == 0
      text +=
        "\(isBig ? 500 + row % 7 : 300 + row % 11),\(row % 3 == 0 ? "red" : "blue"),\(isBig ? "rose" : "daisy")\n"
    }
    try Data(text.utf8).write(to: URL(fileURLWithPath: table))
    let outcome = try nnpack(
      "train", table, "--target", "kind", "--epochs", "20", "--output", model, "--held-out", held)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("result: held-out accuracy=1.0000"), "\(outcome.output)")
    let loaded = try Model.open(path: model)
    try loaded.selfTest()
    #expect(loaded.metadata.labels.map { $0.string } == ["daisy", "rose"])
    let probabilities = try Session(loaded)([505, 0, 1, 300, 1, 0], extents: [2, 3])
    #expect(probabilities[1] > 0.9 && probabilities[2] > 0.9)

    try Data((text + "400,red\n").utf8).write(to: URL(fileURLWithPath: table))
    let damaged = try nnpack("train", table, "--target", "kind", "--output", model)
    #expect(damaged.status == 1 && damaged.errors.contains("flowers.csv:202: 2 fields, the first row has 3"))
    #expect(try nnpack("train", table, "--output", model).errors.contains("--target COLUMN"))
  }
}

@Test func aFolderThatIsNotThereIsReportedBeforeTraining() throws {
  let outcome = try nnpack("train", "--example", "digits-mlp", "--output", "/no/such/folder/mlp.nnrt")
  #expect(outcome.status == 1 && !outcome.output.contains("epoch"))
  #expect(outcome.errors == "nnpack: /no/such/folder/mlp.nnrt: there is no folder /no/such/folder\n")
}

@Test func theSameSeedGivesTheSameFileAndAnotherSeedAnother() throws {
  try withTemporaryFolder { folder in
    for (name, seed) in [("a", "5"), ("b", "5"), ("c", "6")] {
      let outcome = try nnpack(
        "train", "--example", "digits-mlp", "--epochs", "1", "--seed", seed, "--output", "\(folder)/\(name)")
      #expect(outcome.status == 0)
    }
    #expect(try bytes(folder + "/a") == bytes(folder + "/b"))
    #expect(try bytes(folder + "/a") != bytes(folder + "/c"))
  }
}

@Test func resumingEndsInTheSameFileAsOneRun() throws {
  try withTemporaryFolder { folder in
    let checkpoint = folder + "/checkpoint"
    func train(_ epochs: String, _ output: String, _ more: String...) throws {
      let outcome = try nnpack(
        ["train", "--example", "digits-mlp", "--epochs", epochs, "--output", folder + "/" + output] + more)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    try train("3", "whole")
    try train("2", "first", "--checkpoint", checkpoint)
    try train("3", "resumed", "--checkpoint", checkpoint, "--resume")
    #expect(try bytes(folder + "/resumed") == bytes(folder + "/whole"))
    #expect(try bytes(folder + "/first") != bytes(folder + "/whole"))
  }
}

@Test func aTerminalGetsABarThatIsRedrawn() throws {
  try withTemporaryFolder { folder in
    var (master, slave) = (Int32(0), Int32(0))
    var size = winsize(ws_row: 24, ws_col: 90, ws_xpixel: 0, ws_ypixel: 0)
    #expect(openpty(&master, &slave, nil, nil, &size) == 0)
    let terminal = FileHandle(fileDescriptor: slave, closeOnDealloc: true)
    // A terminal holds little: somebody has to read while the program writes.
    let reader = Reader(master)
    let outcome = try nnpack(
      ["train", "--example", "digits-mlp", "--epochs", "20", "--output", folder + "/mlp.nnrt"],
      terminal: terminal)
    try terminal.close()
    let text = reader.finish()
    #expect(outcome.status == 0)
    #expect(
      text.contains("\repoch ") && text.contains("█") && text.contains(" left") && text.contains("20/20"))
    for line in text.split(whereSeparator: { $0 == "\r" || $0 == "\n" || $0 == "\r\n" })
    where line.hasPrefix("epoch") {
      #expect(line.replacing("\u{1B}[K", with: "").count < 90)
    }
  }
}

@Test func theBarFitsEveryWidth() {
  let progress = Progress(
    epoch: 12, epochs: 40, samples: 700, samplesPerEpoch: 1438, loss: 0.12345, accuracy: 0.9876,
    samplesPerSecond: 31415)
  for width in 0...300 { #expect(ProgressPrinter.bar(progress, width: width).count <= max(width - 1, 0)) }
  #expect(
    ProgressPrinter.bar(progress, width: 90)
      == "epoch 12/40 ██████████████░░░░░░░░░░░░░░  loss 0.1235  accuracy 0.988  31.4k/s  0:02 left")
}

@Test func timeLeftReadsLikeAClock() {
  #expect(
    [0.2, 59.5, 61, 3599, 3600, 7325].map { $0.clock } == [
      "0:01", "1:00", "1:01", "59:59", "1:00:00", "2:02:05",
    ])
  #expect(Double.infinity.clock == "?" && Double.nan.clock == "?")
}

/// Collects what is written to the other side of a terminal.
private final class Reader: @unchecked Sendable {
  private var collected: [UInt8] = []
  private let done = DispatchSemaphore(value: 0)

  init(_ descriptor: Int32) {
    Thread {
      var buffer = [UInt8](repeating: 0, count: 4096)
      // Reading fails once the last writer has closed the other side.
      while true {
        let count = read(descriptor, &buffer, buffer.count)
        if count <= 0 { break }
        self.collected += buffer[..<count]
      }
      close(descriptor)
      self.done.signal()
    }.start()
  }

  func finish() -> String {
    done.wait()
    return String(decoding: collected, as: UTF8.self)
  }
}
