import NNGraph

/// Norms of gradients and weights, parameter by parameter, once an epoch: vanishing and exploding gradients become visible.
public final class GradientWatch: Callback {
  /// One parameter after one epoch.
  public struct Row: Equatable, Sendable {
    /// From 0.
    public var epoch: Int
    public var parameter: String
    /// Euclidean norms: of the loss's gradient over the probed samples, and of the parameter.
    public var gradientNorm: Double
    public var weightNorm: Double

    /// The gradient's share of the weight: healthy ones are around 10⁻³ and 1.
    public var ratio: Double { weightNorm > 0 ? gradientNorm / weightNorm : 0 }
  }

  /// What a gradient's norm says.
  public enum Finding: Equatable, Sendable {
    case vanishing(parameter: String, norm: Double)
    case exploding(parameter: String, norm: Double)
  }

  public private(set) var rows: [Row] = []
  /// Below this norm a gradient counts as vanished, above the other as exploding.
  public let limits: ClosedRange<Double>
  private let data: Dataset
  private let report: ((String) -> Void)?

  /// - Parameters:
  ///   - data: the samples whose loss's gradient is taken, a batch or so.
  ///   - report: gets a line for each finding, if there is one.
  public init(
    _ data: Dataset, limits: ClosedRange<Double> = 1e-6...1e3, report: ((String) -> Void)? = nil
  ) {
    self.data = data
    self.limits = limits
    self.report = report
  }

  public func epochEnded(_ epoch: EpochReport, _ trainer: Trainer) throws(NNError) {
    for (parameter, gradient) in try trainer.gradients(of: data) {
      rows.append(
        Row(
          epoch: epoch.epoch, parameter: parameter.name.string, gradientNorm: GradientWatch.norm(gradient),
          weightNorm: GradientWatch.norm(Array(parameter.values))))
    }
    for finding in findings(epoch: epoch.epoch) {
      switch finding {
      case .vanishing(let name, let norm):
        report?("epoch \(epoch.epoch + 1): the gradient of \(name) vanishes: \(norm)")
      case .exploding(let name, let norm):
        report?("epoch \(epoch.epoch + 1): the gradient of \(name) explodes: \(norm)")
      }
    }
  }

  /// Gradients beyond the limits after an epoch.
  public func findings(epoch: Int) -> [Finding] {
    rows.filter { $0.epoch == epoch }.compactMap { row in
      if row.gradientNorm < limits.lowerBound {
        return .vanishing(parameter: row.parameter, norm: row.gradientNorm)
      }
      if !(row.gradientNorm <= limits.upperBound) {
        return .exploding(parameter: row.parameter, norm: row.gradientNorm)
      }
      return nil
    }
  }

  private static func norm(_ values: [Float]) -> Double {
    values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
  }
}

extension Trainer {
  /// The gradient of the loss over some samples with respect to each trainable parameter, at the present parameters. Nothing is
  /// updated; random layers draw as in the next step.
  ///
  /// - Throws: ``ErrorCode/shapeMismatch`` for data that do not fit.
  public func gradients(of data: Dataset) throws(NNError) -> [(parameter: Parameter, gradient: [Float])] {
    try require(data)
    guard data.count >= 1 else { throw NNError(.invalidArgument, "no samples to take a gradient over") }
    let probe = try gradientProbe(batch: data.count)
    let rows = Dataset.range(0, data.count)
    data.copyFeatures(rows, into: probe.plan.input(0))
    data.copyTargets(rows, into: probe.plan.input(1))
    probe.plan.setRandomKey(seed: seed, step: step + 1)
    try probe.plan.run()
    var results: [(parameter: Parameter, gradient: [Float])] = []
    for (index, parameter) in probe.parameters.enumerated() {
      results.append((parameter, Array(probe.plan.output(index).bindMemory(to: Float.self))))
    }
    return results
  }
}
