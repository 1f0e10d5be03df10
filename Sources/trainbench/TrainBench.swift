import CPlatform
import Glibc
import NNGraph
import NNTraining

/// Times training steps: `trainbench MODEL STEPS THREADS` prints, for each line it reads, the median of a round's steps in
/// microseconds. So a script can take turns with another program. `tools/bench/training` is that script.
@main enum TrainBench {
  static func main() {
    let arguments = CommandLine.arguments
    guard arguments.count == 4, let steps = Int(arguments[2]), let threads = Int(arguments[3]), steps >= 1
    else {
      print(
        "usage: trainbench MODEL STEPS THREADS; models: \(models.map { $0.name }.joined(separator: ", "))")
      exit(64)
    }
    guard let model = models.first(where: { $0.name == arguments[1] }) else {
      print("no model \(arguments[1])")
      exit(64)
    }
    do throws(NNError) {
      try run(model, steps: steps, threads: threads)
    } catch {
      print("failed: \(error.message)")
      exit(1)
    }
  }

  private static func run(_ model: BenchModel, steps: Int, threads: Int) throws(NNError) {
    var options = Trainer.Options()
    options.threads = threads
    options.libraryThreads = threads
    let trainer = try Trainer(
      model.layers, sampleShape: model.sampleShape, loss: .softmaxCrossEntropy, optimizer: Adam(), seed: 1,
      options: options)
    var generator = Philox(seed: 1, stream: 1)
    let width = model.sampleShape.reduce(1, *)
    let features = (0..<model.batch * width).map { _ in Float(generator.normal()) }
    let data = try Dataset(
      features: features, sampleShape: model.sampleShape,
      targets: .classes((0..<model.batch).map { $0 % 10 }))
    let rows = ArraySlice(0..<model.batch)
    for _ in 0..<5 { try trainer.trainBatch(data, rows) }
    while readLine() != nil {
      var times: [Double] = []
      for _ in 0..<steps {
        let start = ContinuousClock.now
        try trainer.trainBatch(data, rows)
        times.append((ContinuousClock.now - start) / .microseconds(1))
      }
      var usage = rusage()
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      print("\(times.sorted()[times.count / 2]) \(Double(usage.ru_maxrss) / 1024)")
      fflush(nil)
    }
  }
}

private struct BenchModel {
  let name: String
  let sampleShape: [Int]
  let batch: Int
  let layers: Sequential
}

private let models: [BenchModel] = [
  BenchModel(
    name: "mlp-small", sampleShape: [784], batch: 32,
    layers: Sequential {
      Dense(128, activation: .relu)
      Dense(10)
    }),
  BenchModel(
    name: "mlp-large", sampleShape: [784], batch: 128,
    layers: Sequential {
      Dense(512, activation: .relu)
      Dense(256, activation: .relu)
      Dense(10)
    }),
  BenchModel(
    name: "cnn", sampleShape: [1, 28, 28], batch: 64,
    layers: Sequential {
      for filters in [32, 64, 128] {
        Conv2D(filters, kernelSize: 3, padding: .same, useBias: false)
        BatchNorm()
        Activation.relu
        MaxPool2D(2)
      }
      Flatten()
      Dense(10)
    }),
  BenchModel(
    name: "lstm", sampleShape: [50, 32], batch: 32,
    layers: Sequential {
      LSTM(64)
      Dense(10)
    }),
  BenchModel(
    name: "transformer", sampleShape: [64, 64], batch: 32,
    layers: Sequential {
      for _ in 0..<2 { TransformerEncoderBlock(heads: 4, hidden: 256) }
      LayerNorm()
      Flatten()
      Dense(10)
    }),
]
