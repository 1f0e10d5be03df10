import Foundation
import NNGraph

// Recurrences, one sample and one step at a time.

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

extension Recurrent {
  /// The states (N, T, S·H), with slopes (N, T + 1, (S + P)·H) and the initial state; inputs as of ``Op/recurrent(_:)``.
  func reference(_ x: [ReferenceTensor], _ extents: [Int]) -> ReferenceTensor {
    let (batch, steps) = (x[0].extents[0], x[0].extents[1])
    let units = x[1].extents[0]
    var result = ReferenceTensor(
      [Double](repeating: 0, count: extents.reduce(1, *)), extents: extents)
    let mask = x.count > stateInput + stateCount ? x[x.count - 1] : nil
    func put(_ sample: Int, _ row: Int, _ blocks: [[Double]]) {
      for (block, numbers) in blocks.enumerated() {
        for (unit, number) in numbers.enumerated() {
          result.values[result.position([sample, row, block * units + unit])] = number
        }
      }
    }
    for sample in 0..<batch {
      var state = (0..<stateCount).map { index -> [Double] in
        let tensor = x[stateInput + index]
        let row = tensor.extents[0] == 1 ? 0 : sample
        return (0..<units).map { tensor.values[tensor.position([row, $0])] }
      }
      if keepsSlopes { put(sample, isReversed ? steps : 0, state) }
      for number in 0..<steps {
        let position = isReversed ? steps - 1 - number : number
        var slopes = [[Double]](repeating: [Double](repeating: 0, count: units), count: slopeCount)
        if mask.map({ $0.integers[$0.position([sample, position])] != 0 }) ?? true {
          let projected = (0..<units * gateCount).map { x[0].values[x[0].position([sample, position, $0])] }
          (state, slopes) = step(projected, state, x[1], kind == .gru ? x[2].values : nil)
        }
        put(
          sample, keepsSlopes && !isReversed ? position + 1 : position, keepsSlopes ? state + slopes : state)
      }
    }
    return result
  }

  /// The state after a step, and the step's slopes.
  private func step(
    _ projected: [Double], _ state: [[Double]], _ weight: ReferenceTensor, _ bias: [Double]?
  ) -> (state: [[Double]], slopes: [[Double]]) {
    let units = state[0].count
    var own = bias ?? [Double](repeating: 0, count: units * gateCount)
    for column in own.indices {
      for unit in 0..<units {
        own[column] += state[0][unit] * weight.values[weight.position([unit, column])]
      }
    }
    var next = state
    var slopes = [[Double]](repeating: [Double](repeating: 0, count: units), count: slopeCount)
    for unit in 0..<units {
      func argument(_ gate: Int) -> Double { projected[gate * units + unit] + own[gate * units + unit] }
      switch kind {
      case .simple:
        next[0][unit] = activation.reference(argument(0))
        slopes[0][unit] = argument(0)
      case .lstm:
        let (input, forget, output) = (sigmoid(argument(0)), sigmoid(argument(1)), sigmoid(argument(3)))
        let candidate = tanh(argument(2))
        let cell = forget * state[1][unit] + input * candidate
        next[1][unit] = cell
        next[0][unit] = output * tanh(cell)
        slopes[0][unit] = input * (1 - input) * candidate
        slopes[1][unit] = forget * (1 - forget) * state[1][unit]
        slopes[2][unit] = input * (1 - candidate * candidate)
        slopes[3][unit] = output * (1 - output) * tanh(cell)
        slopes[4][unit] = output * (1 - tanh(cell) * tanh(cell))
        slopes[5][unit] = forget
      case .gru:
        let (reset, update) = (sigmoid(argument(0)), sigmoid(argument(1)))
        let ownCandidate = own[2 * units + unit]
        let candidate = tanh(projected[2 * units + unit] + reset * ownCandidate)
        next[0][unit] = (1 - update) * candidate + update * state[0][unit]
        slopes[0][unit] = reset * (1 - reset) * ownCandidate
        slopes[1][unit] = update * (1 - update) * (state[0][unit] - candidate)
        slopes[2][unit] = (1 - update) * (1 - candidate * candidate)
        slopes[3][unit] = reset
        slopes[4][unit] = update
      }
    }
    return (next, slopes)
  }

  /// The gradient of the gates (N, T, …) or of the initial state (N, S·H); inputs as of
  /// ``Op/recurrentGradient(_:ofStates:)``.
  func referenceGradient(_ x: [ReferenceTensor], ofStates: Bool, _ extents: [Int]) -> ReferenceTensor {
    let (kept, weight, dy) = (x[0], x[1], x[2])
    let units = weight.extents[0]
    let steps = kind == .simple ? kept.extents[1] : kept.extents[1] - 1
    var result = ReferenceTensor(
      [Double](repeating: 0, count: extents.reduce(1, *)), extents: extents)
    for sample in 0..<kept.extents[0] {
      var state = [Double](repeating: 0, count: units * stateCount)
      for number in stride(from: steps - 1, through: 0, by: -1) {
        let position = isReversed ? steps - 1 - number : number
        if dy.extents[1] == steps || number == steps - 1 {
          let row = dy.extents[1] == 1 ? 0 : position
          for column in 0..<dy.extents[2] { state[column] += dy.values[dy.position([sample, row, column])] }
        }
        if x.count > 3, x[3].integers[x[3].position([sample, position])] == 0 { continue }
        let row = kind == .simple || isReversed ? position : position + 1
        let first = kind == .simple ? 0 : stateCount * units
        func slope(_ block: Int, _ unit: Int) -> Double {
          kept.values[kept.position([sample, row, first + block * units + unit])]
        }
        let gates = gradient(&state, units, slope)
        if !ofStates {
          for (column, number) in gates.enumerated() {
            result.values[result.position([sample, position, column])] = number
          }
        }
        for unit in 0..<units {
          for column in 0..<units * gateCount {
            state[unit] += gates[column] * weight.values[weight.position([unit, column])]
          }
        }
      }
      if ofStates {
        for (column, number) in state.enumerated() {
          result.values[result.position([sample, column])] = number
        }
      }
    }
    return result
  }

  /// The gradient of a step's gates; of the state's gradient remains what reaches the state before directly.
  private func gradient(
    _ state: inout [Double], _ units: Int, _ slope: (_ block: Int, _ unit: Int) -> Double
  ) -> [Double] {
    var gates = [Double](repeating: 0, count: units * gradientBlockCount)
    for unit in 0..<units {
      let dh = state[unit]
      switch kind {
      case .simple:
        gates[unit] = dh * slope(0, unit)
        state[unit] = 0
      case .lstm:
        let dc = state[units + unit] + dh * slope(4, unit)
        gates[unit] = dc * slope(0, unit)
        gates[units + unit] = dc * slope(1, unit)
        gates[2 * units + unit] = dc * slope(2, unit)
        gates[3 * units + unit] = dh * slope(3, unit)
        state[unit] = 0
        state[units + unit] = dc * slope(5, unit)
      case .gru:
        let dn = dh * slope(2, unit)
        gates[unit] = dn * slope(0, unit)
        gates[units + unit] = dh * slope(1, unit)
        gates[2 * units + unit] = dn * slope(3, unit)
        gates[3 * units + unit] = dn
        state[unit] = dh * slope(4, unit)
      }
    }
    return gates
  }
}
