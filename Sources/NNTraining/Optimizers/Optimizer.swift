import NNGraph

/// How parameters follow their gradients. The update is part of the training step's graph.
///
/// ``ParameterGroup`` gives parts of a model optimisers of their own; ``Averaged`` and ``L1Penalty`` wrap another one.
public protocol Optimizer: Sendable {
  /// The step length that training starts with; ``Trainer/learningRate`` changes it between steps.
  var learningRate: Float { get }

  /// The tensors the optimiser keeps for each parameter, all of the parameter's shape and zero at first.
  var slotNames: [String] { get }

  /// Names of the numbers that change from step to step, inputs of the graph.
  var scalarNames: [String] { get }

  /// Those numbers for step 1, 2, … at the given learning rate.
  func scalars(step: Int, learningRate: Double, into values: UnsafeMutableBufferPointer<Float>)

  /// New value of a parameter and of its slots.
  func update(
    _ parameter: SymbolicTensor, gradient: SymbolicTensor, slots: [SymbolicTensor], scalars: [SymbolicTensor]
  ) throws(NNError) -> (parameter: SymbolicTensor, slots: [SymbolicTensor])

  /// Called before training begins. Unless given, it looks at the learning rate alone.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for a number that no training can work with, naming it.
  func validate() throws(NNError)

  /// Everything that changes the result, in words: a checkpoint refuses to go on with another optimiser.
  var description: String { get }
}

// What optimisers without numbers of their own need.
extension Optimizer {
  public var scalarNames: [String] { ["learning_rate"] }

  public func scalars(step: Int, learningRate: Double, into values: UnsafeMutableBufferPointer<Float>) {
    values[0] = Float(learningRate)
  }

  public func validate() throws(NNError) {
    try Hyperparameter.requireNotNegative(learningRate, "a learning rate")
  }
}

/// What the numbers that training is set up with must be.
enum Hyperparameter {
  /// Throws unless a number is finite and at least 0.
  static func requireNotNegative(_ value: some BinaryFloatingPoint, _ name: String) throws(NNError) {
    guard value.isFinite, value >= 0 else {
      throw NNError(.invalidArgument, "\(name) of \(Double(value)), not a finite number from 0 on")
    }
  }

  /// Throws unless a number is in 0…1.
  static func requireShare(_ value: some BinaryFloatingPoint, _ name: String) throws(NNError) {
    guard value >= 0, value <= 1 else {
      throw NNError(.invalidArgument, "\(name) of \(Double(value)), not in 0…1")
    }
  }

  /// Throws unless a number, such as how much of an average stays, is in 0..<1.
  static func requireFraction(_ value: some BinaryFloatingPoint, _ name: String) throws(NNError) {
    guard value >= 0, value < 1 else {
      throw NNError(.invalidArgument, "\(name) of \(Double(value)), not in 0..<1")
    }
  }
}
