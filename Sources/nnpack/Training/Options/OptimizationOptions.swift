import ArgumentParser
import NNTraining

/// How a network is trained.
struct OptimizationOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "Times to go through the training data: 100, for images 10, or the example's own number.")
  var epochs: Int?

  @Option(parsing: .unconditional, help: "Samples of one step: 32, or the example's own number.")
  var batchSize: Int?

  @Option(parsing: .unconditional, help: "Step length of the optimiser; its own unless told.")
  var learningRate: Float?

  @Option(
    parsing: .unconditional,
    help: "What the split of the data and everything random is drawn from: 1 unless told.")
  var seed: UInt64?

  @Option(help: "What is made small; cross-entropy for classes and mse for numbers unless told.")
  var loss: LossName?

  @Option(help: "How weights follow the gradient; adamw unless told.") var optimizer: OptimizerName?

  @Option(
    parsing: .unconditional, help: "How much weights are drawn towards 0: 0.01 for adamw, else 0 unless told."
  )
  var weightDecay: Float?

  @Option(
    name: .customLong("l1"), parsing: .unconditional,
    help: "How much weights are drawn towards 0 by their sign, which makes many 0.")
  var l1: Float?

  @Option(help: "How the learning rate changes; cosine unless told.") var schedule: ScheduleName?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Epochs over which the learning rate rises at first, also parts of one.", valueName: "epochs"))
  var warmUp: Double?

  @Option(
    parsing: .unconditional, help: "The largest norm of all gradients together: 5 unless told, 0 for any.")
  var clipNorm: Float?

  @Option(parsing: .unconditional, help: "The largest magnitude of an element of a gradient.") var clipValue:
    Float?

  @Option(
    parsing: .unconditional, help: "The part of a target's probability that is spread over all classes.")
  var labelSmoothing: Float?

  @Option(help: "balanced: rare classes count as much as frequent ones.") var classWeights: ClassWeighting?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Keep moving averages of the weights, which become the file: 0.999 for long ones.", valueName: "decay"))
  var average: Float?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Batches that make one update together.", valueName: "batches")) var accumulate: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Stop after so many epochs without improvement and go back to the best: a fifth of the epochs, at least 5, "
        + "unless told; 0 for never.", valueName: "epochs"))
  var earlyStopping: Int?

  @Flag(
    help:
      "Try learning rates first, print their losses, and train with the one at which the loss falls fastest.")
  var findLearningRate = false

  @Option(parsing: .unconditional, help: "Threads to train on; the result is the same.") var threads: Int?

  /// What was given and examples do not take, as it is called.
  var givenForData: [String] {
    [
      ("--loss", loss != nil), ("--optimizer", optimizer != nil), ("--weight-decay", weightDecay != nil),
      ("--l1", l1 != nil), ("--schedule", schedule != nil), ("--warm-up", warmUp != nil),
      ("--clip-norm", clipNorm != nil), ("--clip-value", clipValue != nil),
      ("--label-smoothing", labelSmoothing != nil), ("--class-weights", classWeights != nil),
      ("--average", average != nil), ("--accumulate", accumulate != nil),
      ("--early-stopping", earlyStopping != nil), ("--find-learning-rate", findLearningRate),
      ("--threads", threads != nil),
    ].filter { $0.1 }.map { $0.0 }
  }

  func validate() throws {
    for (name, number) in [
      ("--epochs", epochs), ("--batch-size", batchSize), ("--accumulate", accumulate), ("--threads", threads),
    ] {
      if let number, number < 1 { throw ValidationError("\(name) takes a number of at least 1") }
    }
    if let threads, threads > 256 { throw ValidationError("--threads takes a number of at most 256") }
    if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
      throw ValidationError("--learning-rate takes a positive number")
    }
    for (name, number) in [
      ("--weight-decay", weightDecay), ("--l1", l1), ("--clip-norm", clipNorm), ("--clip-value", clipValue),
      ("--warm-up", warmUp.map { Float($0) }),
    ] {
      if let number, !(number >= 0 && number.isFinite) {
        throw ValidationError("\(name) takes a number of at least 0")
      }
    }
    for (name, number) in [("--label-smoothing", labelSmoothing), ("--average", average)] {
      if let number, !(number >= 0 && number < 1) { throw ValidationError("\(name) takes a number in 0..<1") }
    }
    if let earlyStopping, earlyStopping < 0 {
      throw ValidationError("--early-stopping takes a number of at least 0")
    }
    try validateCombinations()
  }

  private func validateCombinations() throws {
    if clipNorm != nil, clipValue != nil { throw ValidationError("give one of --clip-norm and --clip-value") }
    if findLearningRate, learningRate != nil {
      throw ValidationError("--find-learning-rate finds what --learning-rate says: give one of them")
    }
    if schedule == .plateau, warmUp ?? 0 > 0 {
      throw ValidationError("--warm-up does not go with --schedule plateau")
    }
    if loss.map({ $0 != .crossEntropy }) ?? false {
      if labelSmoothing ?? 0 > 0 { throw ValidationError("--label-smoothing goes with --loss cross-entropy") }
      if classWeights != nil { throw ValidationError("--class-weights goes with --loss cross-entropy") }
    }
  }
}
