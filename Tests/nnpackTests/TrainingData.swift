import Foundation
import NNGraph
import NumPyFiles
import Testing

/// Small data sets as files.
enum TrainingData {
  /// Flowers of two kinds by length (told apart by it), width and colour: `length,width,colour,kind`.
  static func flowers(_ folder: String, rows: Int = 120, separator: String = ",") throws -> String {
    var lines = ["length,width,colour,kind"]
    for row in 0..<rows {
      let isRose = row % 3 == 0
      lines.append(
        "\(isRose ? 50 + row % 7 : 30 + row % 11),\(row % 5),\(row % 4 == 0 ? "red" : "blue"),\(isRose ? "rose" : "daisy")"
      )
    }
    return try write(lines, folder + "/flowers.csv", separator)
  }

  /// Prices around 5000 that are a straight line of size and age: `size,age,price`.
  static func houses(_ folder: String, rows: Int = 150) throws -> String {
    var lines = ["size,age,price"]
    for row in 0..<rows {
      let (size, age) = (50 + row * 37 % 101, row * 13 % 40)
      lines.append("\(size),\(age),\(4000 + 20 * size - 10 * age)")
    }
    return try write(lines, folder + "/houses.csv", ",")
  }

  private static func write(_ lines: [String], _ path: String, _ separator: String) throws -> String {
    let text = lines.map { $0.replacingOccurrences(of: ",", with: separator) }.joined(separator: "\n") + "\n"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  /// Sequences (90, 8, 2) that rise, fall or stay, as arrays x and y.
  static func sequences(_ folder: String) throws -> String {
    var x: [Float] = []
    var y: [Int64] = []
    for sample in 0..<90 {
      let slope = Float(sample % 3 - 1) / 4
      for step in 0..<8 { x += [slope * Float(step) + Float(sample % 7) / 20, Float(sample % 5) / 5] }
      y.append(Int64(sample % 3))
    }
    let path = folder + "/sequences.npz"
    let targets = try Tensor(y, extents: [90])
    try NPZFile.write([("x", try Tensor(x, extents: [90, 8, 2])), ("y", targets)], to: path)
    return path
  }

  /// Images (60, 1, 8, 8) with a bright row or a bright column, as an IDX pair.
  static func stripes(_ folder: String) throws -> (images: String, labels: String) {
    var pixels: [UInt8] = []
    var classes: [UInt8] = []
    for sample in 0..<60 {
      let line = sample / 2 % 8
      for place in 0..<64 {
        let isBright = sample % 2 == 0 ? place / 8 == line : place % 8 == line
        pixels.append(isBright ? 200 : UInt8((sample * 31 + place * 17) % 60))
      }
      classes.append(UInt8(sample % 2))
    }
    let paths = (folder + "/images", folder + "/labels")
    try Data([0, 0, 8, 3, 0, 0, 0, 60, 0, 0, 0, 8, 0, 0, 0, 8] + pixels).write(
      to: URL(fileURLWithPath: paths.0))
    try Data([0, 0, 8, 1, 0, 0, 0, 60] + classes).write(to: URL(fileURLWithPath: paths.1))
    return paths
  }
}

/// Compares a text with the file of that name in `Snapshots`. With NNRT_RECORD set it is written there instead, and the test fails.
func snapshot(_ text: String, _ name: String) throws -> Bool {
  let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
    "Snapshots/" + name)
  if ProcessInfo.processInfo.environment["NNRT_RECORD"] != nil {
    try Data(text.utf8).write(to: path)
    return false
  }
  return try String(contentsOf: path, encoding: .utf8) == text
}

/// What training on data with some options prints, and the file it makes.
func train(_ arguments: [String], in folder: String, name: String = "model") throws -> (
  output: String, file: Data
) {
  let path = folder + "/\(name).nnrt"
  let outcome = try nnpack(["train"] + arguments + ["--output", path])
  #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(arguments): \(outcome.errors)")
  return (outcome.output, try Data(contentsOf: URL(fileURLWithPath: path)))
}

func lastLine(_ text: String) -> String { text.split(separator: "\n").last.map { String($0) } ?? "" }
