import Foundation
import NNFormat
import NNGraph
import NNRuntime
import NumPyFiles
import Testing

/// A model of flowers with gaps in the training data, and what it says to a file of other flowers.
private struct FlowerModel {
  let folder: String
  let model: String

  init(_ folder: String) throws {
    self.folder = folder
    model = folder + "/flowers.nnrt"
    var text = try String(contentsOfFile: TrainingData.flowers(folder), encoding: .utf8)
    text += "51,,red,rose\n33,2,,daisy\n"
    try text.write(toFile: folder + "/gaps.csv", atomically: true, encoding: .utf8)
    let outcome = try nnpack(
      "train", folder + "/gaps.csv", "--target", "kind", "--missing", "median", "--epochs", "12", "--output",
      model)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  func run(_ text: String, _ options: String..., file: String = "new.csv") throws -> Outcome {
    try text.write(toFile: folder + "/" + file, atomically: true, encoding: .utf8)
    return try nnpack(["run", model, "--input", folder + "/" + file] + options)
  }
}

@Test func aTablesModelTakesOtherTables() throws {
  try withTemporaryFolder { folder in
    let flowers = try FlowerModel(folder)
    let (first, second, third) = (folder + "/1.npy", folder + "/2.npy", folder + "/3.npy")
    let outcome = try flowers.run(
      "length,width,colour,kind\n52,1,red,rose\n31,2,blue,\n35,,blue,daisy\n", "--top", "1", "--output", first
    )
    #expect(outcome.status == 0, "\(outcome.errors)")
    let rows = outcome.output.split(separator: "\n").filter { $0.contains("row ") }
    #expect(rows.map { $0.contains("rose") } == [true, false, false], "\(outcome.output)")
    // The columns in another order, and without the one that is predicted.
    let other = try flowers.run(
      "colour;note;length;width\nred;x;52;1\nblue;;31;2\nblue;y;35;NA\n", "--separator", ";", "--output",
      second)
    #expect(other.status == 0, "\(other.errors)")
    #expect(try NPYFile.read(path: first).floats == NPYFile.read(path: second).floats)
    // The same as an array: length, width, blue, red; the median of widths is 2.
    let array = try Tensor([52, 1, 0, 1, 31, 2, 1, 0, 35, 2, 1, 0] as [Float], extents: [3, 4])
    try NPYFile.write(
      dtype: array.dtype, extents: array.extents, bytes: array.bytes, to: folder + "/x.npy")
    #expect(
      try nnpack("run", flowers.model, "--input", folder + "/x.npy", "--output", third).status == 0)
    #expect(try NPYFile.read(path: first).floats == NPYFile.read(path: third).floats)
  }
}

@Test func runSaysWhatIsWrongWithATable() throws {
  try withTemporaryFolder { folder in
    let flowers = try FlowerModel(folder)
    for (text, words) in [
      ("length,width\n52,1\n", "colour"), ("length,width,colour\n52,one,red\n", "new.csv:2"),
      ("length,width,colour\n52,1,green\n", "none of the categories blue, red"),
    ] {
      let outcome = try flowers.run(text)
      #expect(outcome.status == 1 && outcome.errors.contains(words), "\(outcome.errors)")
    }
    let digits = folder + "/digits.nnrt"
    #expect(try nnpack("convert", onnxModel("pictures"), digits).status == 0)
    let outcome = try nnpack("run", digits, "--input", folder + "/new.csv")
    #expect(
      outcome.status == 1 && outcome.errors.contains("was not trained on a table"), "\(outcome.errors)")
  }
}
