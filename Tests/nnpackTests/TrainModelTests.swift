import Foundation
import NNFormat
import NNGraph
import NNRuntime
import NNTraining
import NumPyFiles
import Testing

@testable import nnpack

@Suite struct TrainModelTests {
  private func model(_ text: String, _ folder: String) throws -> String {
    let path = folder + "/model.json"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test func aNetworkThatIsShownAndGivenBackIsTheSame() throws {
    try withTemporaryFolder { folder in
      let (images, labels) = try TrainingData.stripes(folder)
      let common = ["--images", images, "--labels", labels, "--epochs", "1"]
      for name in ["cnn", "vit", "gru"] {
        let shown = try nnpack(["train"] + common + ["--model", name, "--show-model"])
        #expect(shown.status == 0 && shown.output.hasPrefix("{\n  \"layers\": ["))
        let file = try model(shown.output, folder)
        #expect(
          try train(common + ["--model", file], in: folder).file
            == train(common + ["--model", name], in: folder).file)
      }
      #expect(!FileManager.default.fileExists(atPath: "model.nnrt"))
    }
  }

  @Test func anImageModelOfAFileLearns() throws {
    try withTemporaryFolder { folder in
      let (images, labels) = try TrainingData.stripes(folder)
      let file = try model(
        """
        {"description": "rows and columns", "layers": [
          {"type": "conv2d", "filters": 4, "kernel": 3, "padding": "same", "activation": "relu"},
          {"type": "max_pool2d"}, {"type": "flatten"}, {"type": "dense", "units": 2}]}
        """, folder)
      let run = try train(
        [
          "--images", images, "--labels", labels, "--model", file, "--epochs", "25", "--learning-rate",
          "0.02",
        ], in: folder)
      #expect(lastLine(run.output) == "result: held-out accuracy=1.0000", "\(run.output)")
      #expect(
        run.output.contains("\(file), loss cross-entropy, adamw at a learning rate of 0.02, schedule cosine")
      )
      #expect(try Model.open(path: folder + "/model.nnrt").metadata.description?.string == "rows and columns")
    }
  }

  @Test func mistakesOfAModelAreNamedWithFileAndPlace() throws {
    try withTemporaryFolder { folder in
      let table = try TrainingData.flowers(folder)
      for (text, word) in [
        (
          #"{"layers": [{"type": "dense", "units": 7}]}"#,
          "model.json: the last layer gives 7 numbers for each sample, but the data need 2"
        ),
        (
          #"{"layers": [{"type": "dense", "units": 7}, {"type": "conv2d", "filters": 1, "kernel": 1}]}"#,
          "layers[1]: layer \"conv2d_1\" (input (N, 7)): takes (N, C, H, W), not (N, 7)"
        ),
        (
          #"{"layers": [{"type": "danse", "units": 7}]}"#,
          "model.json: layers[0].type: unknown layer \"danse\"; did you mean \"dense\"?"
        ),
        ("{\"layers\": [\n]", "model.json:2:2: "),
      ] {
        let outcome = try nnpack(
          "train", table, "--target", "kind", "--model", try model(text, folder), "--output", folder + "/x")
        #expect(outcome.status == 1 && outcome.errors.contains(word), "\(outcome.errors)")
      }
    }
  }

  @Test func sequencesOfAnArchiveAreLearnt() throws {
    try withTemporaryFolder { folder in
      let path = try TrainingData.sequences(folder)
      for name in [nil, "lstm", "cnn", "transformer"] {
        let run = try train(
          [path, "--epochs", "25", "--learning-rate", "0.01"] + (name.map { ["--model", $0] } ?? []),
          in: folder)
        #expect(
          run.output.contains(
            "3 classes to tell from 8×2 numbers; 66 samples to train on, 6 to stop by, 18 held out"),
          "\(run.output)")
        #expect(run.output.contains("model \(name ?? "gru"), loss cross-entropy"))
        let accuracy = try #require(Double(lastLine(run.output).split(separator: "=").last ?? ""))
        #expect(accuracy > 0.8, "\(name ?? "gru"): \(run.output)")
      }
      let damaged = folder + "/damaged.npz"
      try Data(contentsOf: URL(fileURLWithPath: path)).prefix(500).write(to: URL(fileURLWithPath: damaged))
      let outcome = try nnpack("train", damaged)
      #expect(outcome.status == 1 && outcome.errors.contains("damaged.npz: "))
    }
  }

  @Test func weightsComeFromAFileAndMayBeFrozen() throws {
    try withTemporaryFolder { folder in
      let table = try TrainingData.flowers(folder)
      let common = [table, "--target", "kind", "--model", "mlp"]
      _ = try train(common + ["--epochs", "10"], in: folder, name: "source")
      let source = folder + "/source.nnrt"
      func weights(_ path: String) throws -> [String: [Float]] {
        Dictionary(uniqueKeysWithValues: try NamedWeights.read(path: path).map { ($0.name, $0.values) })
      }
      let frozen = try train(
        common + ["--epochs", "3", "--init-from", source, "--freeze", "dense_1,dense_2"], in: folder,
        name: "frozen")
      #expect(frozen.output.contains("source.nnrt: 6 parameters loaded"), "\(frozen.output)")
      let (before, after) = (try weights(source), try weights(folder + "/frozen.nnrt"))
      for name in ["dense_1.weight", "dense_1.bias", "dense_2.weight"] {
        #expect(before[name] != nil && before[name] == after[name])
      }
      #expect(before["dense_3.weight"] != after["dense_3.weight"])
      // Of another width, the last layer begins anew; and a network without a weight in common is refused.
      let other = try train(
        [
          table, "--target", "width", "--features", "length,colour,kind", "--epochs", "1", "--init-from",
          source,
        ],
        in: folder)
      #expect(
        other.output.contains("dense_1.weight (5, 64) from (4, 64)"), "\(other.output)")
      let none = try nnpack(
        "train", table, "--target", "kind", "--model", "linear", "--init-from", source, "--output",
        folder + "/x")
      #expect(none.status == 1 && none.errors.contains("no weight has the name and shape"), "\(none.errors)")
    }
  }
}
