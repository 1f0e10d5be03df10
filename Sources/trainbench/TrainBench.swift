import CPlatform
import Glibc
import NNGraph
import NNTraining

/// Times training steps: `trainbench MODEL STEPS THREADS` prints, for each line it reads, the median of a round's steps in
/// microseconds. So a script can take turns with another program. `tools/bench/training` is that script.
///
/// `trainbench MODEL STEPS profile` prints instead what each operation of a step takes, on one thread. A further argument `openblas`
/// gives large products to OpenBLAS.
@main enum TrainBench {
  static func main() {
    let arguments = CommandLine.arguments
    let isProfile = arguments.count >= 4 && arguments[3] == "profile"
    guard arguments.count >= 4, let steps = Int(arguments[2]), steps >= 1,
      let threads = isProfile ? 1 : Int(arguments[3])
    else {
      print(
        "usage: trainbench MODEL STEPS THREADS|profile [openblas]; models: \(models.map { $0.name }.joined(separator: ", "))"
      )
      exit(64)
    }
    guard let model = models.first(where: { $0.name == arguments[1] }) else {
      print("no model \(arguments[1])")
      exit(64)
    }
    do throws(NNError) {
      let bench = try Bench(model, threads: threads)
      try isProfile ? bench.profile(runs: steps) : bench.serve(steps: steps)
    } catch {
      print("failed: \(error.message)")
      exit(1)
    }
  }
}

/// A model with made data, ready to train.
private struct Bench {
  let trainer: Trainer
  let data: Dataset
  let rows: ArraySlice<Int>

  init(_ model: BenchModel, threads: Int) throws(NNError) {
    var options = Trainer.Options()
    options.threads = threads
    options.libraryThreads = threads
    options.usesOpenBLAS = CommandLine.arguments.contains("openblas")
    trainer = try Trainer(
      model.layers, sampleShape: model.sampleShape, loss: .softmaxCrossEntropy, optimizer: Adam(), seed: 1,
      options: options)
    var generator = Philox(seed: 1, stream: 1)
    let width = model.sampleShape.reduce(1, *)
    data = try Dataset(
      features: (0..<model.batch * width).map { _ in Float(generator.normal()) },
      sampleShape: model.sampleShape,
      targets: .classes((0..<model.batch).map { $0 % 10 }))
    rows = ArraySlice(0..<model.batch)
    for _ in 0..<5 { try trainer.trainBatch(data, rows) }
  }

  func serve(steps: Int) throws(NNError) {
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

  /// The operations of the same kind and shape together, those that take longest first.
  func profile(runs: Int) throws(NNError) {
    let times = try trainer.profileStep(data, rows, runs: runs)
    var sums: [String: (seconds: Double, count: Int)] = [:]
    for time in times {
      let key = "\(time.operation) \(time.shape) \(time.layer)"
      sums[key, default: (0, 0)].seconds += time.seconds
      sums[key, default: (0, 0)].count += 1
    }
    let all = times.reduce(0) { $0 + $1.seconds }
    print("\((all * 1e6).rounded()) µs in \(times.count) operations")
    for (key, sum) in sums.sorted(by: { ($1.value.seconds, $0.key) < ($0.value.seconds, $1.key) }) {
      print(
        "\((sum.seconds * 1e7).rounded() / 10) µs  \((sum.seconds / all * 1000).rounded() / 10) %  \(sum.count) × \(key)"
      )
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
