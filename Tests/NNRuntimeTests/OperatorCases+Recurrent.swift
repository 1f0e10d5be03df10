import NNGraph
import Reference

extension OperatorCases {
  /// (N, T, H): around the vector width and the tiles' heights, with single ones and nothing at all.
  static let sequences: [[Int]] = [
    [3, 4, 5], [1, 1, 1], [2, 7, 17], [13, 3, 16], [5, 2, 33], [0, 3, 4], [2, 0, 3], [2, 3, 0],
  ]

  /// Every kind of recurrence, both directions, with and without slopes.
  private static var recurrences: [Recurrent] {
    [false, true].flatMap { isReversed in
      [false, true].flatMap { keepsSlopes in
        Recurrent.Kind.allCases.map { kind in
          Recurrent(
            kind, activation: kind == .simple ? Activation(isReversed ? .tanh : .silu) : .identity,
            isReversed: isReversed, keepsSlopes: keepsSlopes)
        }
      }
    }
  }

  static func recurrent(_ random: inout SplitMix64) -> [OperatorCase] {
    var cases: [OperatorCase] = []
    for recurrent in recurrences {
      for (number, sequence) in sequences.enumerated() {
        let (batch, steps, units) = (sequence[0], sequence[1], sequence[2])
        let columns = units * recurrent.gateCount
        var inputs = [random.reals([batch, steps, columns]), random.reals([units, columns], range: 0.5)]
        if recurrent.kind == .gru { inputs.append(random.reals([columns], range: 0.5)) }
        // The same initial state for all samples, or one for each.
        for _ in 0..<recurrent.stateCount {
          inputs.append(random.reals([number % 2 == 0 ? 1 : batch, units]))
        }
        if number % 3 > 0 { inputs.append(random.integers([batch, steps], 0...1, .bool)) }
        cases.append(OperatorCase(op: .recurrent(recurrent), inputs: inputs, bound: .absolute(1e-5)))
      }
    }
    return cases
  }

  static func recurrentGradient(_ random: inout SplitMix64) -> [OperatorCase] {
    var cases: [OperatorCase] = []
    for kind in Recurrent.Kind.allCases {
      for isReversed in [false, true] {
        let recurrent = Recurrent(kind, isReversed: isReversed, keepsSlopes: true)
        for (number, sequence) in sequences.enumerated() {
          let (batch, steps, units) = (sequence[0], sequence[1], sequence[2])
          let kept =
            kind == .simple ? sequence : [batch, steps + 1, units * recurrent.blockCount]
          var inputs = [
            random.reals(kept, range: 0.75), random.reals([units, units * recurrent.gateCount], range: 0.25),
            // Of every step or of the last one, of h or of the whole state.
            random.reals([
              batch, number % 2 == 0 ? steps : 1, units * (number % 4 < 2 ? 1 : recurrent.stateCount),
            ]),
          ]
          if number % 3 > 0 { inputs.append(random.integers([batch, steps], 0...1, .bool)) }
          for ofStates in [false, true] {
            cases.append(
              OperatorCase(
                op: .recurrentGradient(recurrent, ofStates: ofStates), inputs: inputs,
                bound: .ulpsOfLargest(64)))
          }
        }
      }
    }
    return cases
  }

  /// With enough work to be shared between threads.
  static func largeRecurrent(_ random: inout SplitMix64) -> [OperatorCase] {
    let (batch, steps, units) = (37, 6, 48)
    let inputs = [
      random.reals([batch, steps, 4 * units]), random.reals([units, 4 * units], range: 0.5),
      random.reals([batch, units]), random.reals([1, units]),
    ]
    let kept = [random.reals([batch, steps + 1, 8 * units], range: 0.5)]
    return [
      OperatorCase(op: .recurrent(Recurrent(.lstm)), inputs: inputs),
      OperatorCase(
        op: .recurrentGradient(Recurrent(.lstm, keepsSlopes: true), ofStates: false),
        inputs: kept + [inputs[1], random.reals([batch, steps, units])]),
    ]
  }
}
