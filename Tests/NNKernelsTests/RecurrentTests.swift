import Foundation
import NNGraph
import NNKernels
import Reference
import Testing

/// One step for `rows` samples: hidden, cell and output states in one buffer, in this order.
private struct Step {
  let kind: Recurrent.Kind
  let rows: Int
  let units: Int
  var gates: [Float]
  var projected: [Float]
  var hidden: [Float]
  var cell: [Float]
  var mask: [UInt8]?
  var keepsSlopes = true

  var recurrent: Recurrent { Recurrent(kind, keepsSlopes: keepsSlopes) }
  var width: Int { units * recurrent.blockCount }

  /// The states after the step and the output, after checking that all tables and all splits of the rows agree.
  func run() -> (hidden: [Float], cell: [Float], out: [Float]) {
    let size = rows * units
    let initial = hidden + cell + [Float](repeating: .nan, count: rows * width)
    var gates = gates
    let result = gates.withUnsafeMutableBufferPointer { gates in
      projected.withUnsafeBufferPointer { projected in
        (mask ?? []).withUnsafeBufferPointer { bytes in
          identicalOutput(units: rows, initial: initial) { table, memory, range in
            guard let step = table.recurrentStep(kind) else { return }
            step(
              RecurrentStepArguments(
                gates: gates.baseAddress!, projected: projected.baseAddress!,
                projectedStride: projected.count / rows, hidden: memory, cell: memory + size,
                out: memory + 2 * size, outStride: width, keepsSlopes: keepsSlopes,
                mask: mask == nil ? nil : bytes.baseAddress, maskStride: 1, units: units), range)
          }
        }
      }
    }
    return (Array(result[..<size]), Array(result[size..<2 * size]), Array(result[(2 * size)...]))
  }
}

private func randomStep(
  _ kind: Recurrent.Kind, rows: Int, units: Int, _ generator: inout Generator
) -> Step {
  let gates = Recurrent(kind).gateCount
  return Step(
    kind: kind, rows: rows, units: units, gates: generator.floats(rows * units * gates),
    projected: generator.floats(rows * units * gates), hidden: generator.floats(rows * units, -1...1),
    cell: generator.floats(rows * units))
}

/// Numbers of all magnitudes and signs, dense where the functions bend.
private let sweep: [Float] = {
  var numbers: [Float] = [0, 87, 88, 100, 1e30, .infinity]
  for exponent in -40...6 {
    for part in 0..<64 {
      numbers.append(Float(sign: .plus, exponent: exponent, significand: 1 + Float(part) / 64))
    }
  }
  return numbers + numbers.map { -$0 }
}()

@Test func gateSigmoidIsWithinThreeUlp() {
  // With the input gate's candidate 0 and a cell of 1, the cell becomes the forget gate.
  let units = sweep.count
  let zeros = [Float](repeating: 0, count: units)
  let step = Step(
    kind: .lstm, rows: 1, units: units, gates: zeros + zeros + zeros + zeros,
    projected: zeros + sweep + zeros + zeros, hidden: zeros, cell: [Float](repeating: 1, count: units))
  for (x, y) in zip(sweep, step.run().cell) {
    let exact = 1 / (1 + exp(-max(Double(x), -87)))
    #expect(ulpDistance(y, exact) <= 3, "σ(\(x)) is \(y) instead of \(exact)")
  }
}

@Test func gateTanhIsWithinFourUlp() {
  // With the update gate shut, the state becomes the candidate.
  let units = sweep.count
  let zeros = [Float](repeating: 0, count: units)
  let shut = [Float](repeating: -100, count: units)
  let step = Step(
    kind: .gru, rows: 1, units: units, gates: zeros + zeros + zeros, projected: zeros + shut + sweep,
    hidden: zeros, cell: zeros)
  for (x, y) in zip(sweep, step.run().hidden) {
    let exact = tanh(Double(x))
    #expect(ulpDistance(y, exact) <= 4, "tanh(\(x)) is \(y) instead of \(exact)")
  }
}

@Test(arguments: [-30, -1, 0, 2.5, 40] as [Float]) func gatedTanhIsWithinFiveUlp(gate: Float) {
  // With a cell of 0, it becomes the input gate's part of the candidate.
  let units = sweep.count
  let zeros = [Float](repeating: 0, count: units)
  let step = Step(
    kind: .lstm, rows: 1, units: units, gates: zeros + zeros + zeros + zeros,
    projected: [Float](repeating: gate, count: units) + zeros + sweep + zeros, hidden: zeros, cell: zeros)
  for (x, y) in zip(sweep, step.run().cell) {
    let exact = tanh(Double(x)) / (1 + exp(-Double(gate)))
    #expect(ulpDistance(y, exact) <= 5, "σ(\(gate))·tanh \(x) is \(y) instead of \(exact)")
  }
}

@Test func gatesThatAreShutLetNothingPass() {
  // The divisors' product is more than any number.
  let units = sweep.count
  let (zeros, shut) = ([Float](repeating: 0, count: units), [Float](repeating: -1000, count: units))
  let step = Step(
    kind: .lstm, rows: 1, units: units, gates: zeros + zeros + zeros + zeros,
    projected: shut + zeros + sweep + shut, hidden: zeros, cell: zeros)
  let result = step.run()
  #expect((result.cell + result.hidden).allSatisfy { abs($0) < 1e-30 })
}

@Test(arguments: [Recurrent.Kind.lstm, .gru]) func stepsOfAllWidthsAgreeOnEveryTable(kind: Recurrent.Kind) {
  var generator = Generator(5)
  for units in [1, 7, 15, 16, 17, 33, 48] {
    for rows in [1, 2, 5] {
      var step = randomStep(kind, rows: rows, units: units, &generator)
      for keepsSlopes in [true, false] {
        step.keepsSlopes = keepsSlopes
        let result = step.run()
        // The output's first blocks are the state.
        for row in 0..<rows {
          let out = result.out[row * step.width..<(row + 1) * step.width]
          #expect(Array(out.prefix(units)) == Array(result.hidden[row * units..<(row + 1) * units]))
          if kind == .lstm {
            let cell = out.dropFirst(units).prefix(units)
            #expect(Array(cell) == Array(result.cell[row * units..<(row + 1) * units]))
          }
        }
      }
    }
  }
}

@Test(arguments: [Recurrent.Kind.lstm, .gru]) func maskedRowsKeepTheirState(kind: Recurrent.Kind) {
  var generator = Generator(6)
  var step = randomStep(kind, rows: 3, units: 19, &generator)
  let whole = step.run()
  step.mask = [1, 0, 255]
  let masked = step.run()
  for row in 0..<3 {
    let range = row * 19..<(row + 1) * 19
    #expect(masked.hidden[range] == (row == 1 ? step.hidden : whole.hidden)[range])
    #expect(masked.cell[range] == (row == 1 ? step.cell : whole.cell)[range])
    let out = row * step.width..<(row + 1) * step.width
    if row == 1 {
      #expect(Array(masked.out[out].prefix(19)) == Array(step.hidden[range]))
      #expect(masked.out[out].suffix(19 * step.recurrent.slopeCount).allSatisfy { $0 == 0 })
    } else {
      #expect(masked.out[out] == whole.out[out])
    }
  }
}

@Test(arguments: [Recurrent.Kind.lstm, .gru]) func gatesOfNaNGiveNaN(kind: Recurrent.Kind) {
  var generator = Generator(7)
  var step = randomStep(kind, rows: 1, units: 20, &generator)
  step.projected[3] = .nan
  let result = step.run()
  for (unit, number) in result.hidden.enumerated() { #expect(number.isNaN == (unit == 3)) }
}

@Test(arguments: [Recurrent.Kind.lstm, .gru]) func gradientStepsAgreeOnEveryTable(kind: Recurrent.Kind) {
  var generator = Generator(8)
  let recurrent = Recurrent(kind, keepsSlopes: true)
  for units in [1, 16, 21] {
    for (rows, hasMask, hasResult) in [(1, false, true), (4, true, true), (3, false, false)] {
      let slopes = generator.floats(rows * units * recurrent.slopeCount)
      let dy = generator.floats(rows * units * recurrent.stateCount)
      let mask = UnsafeMutablePointer<UInt8>.allocate(capacity: rows)
      defer { mask.deallocate() }
      for row in 0..<rows { mask[row] = UInt8(row % 2) }
      let states = generator.floats(2 * rows * units)
      let (gates, width) = (rows * units * recurrent.gateCount, units * recurrent.gradientBlockCount)
      let initial = states + [Float](repeating: .nan, count: gates + rows * width)
      let result = identicalOutput(units: rows, initial: initial) { table, memory, range in
        guard let step = table.recurrentGradientStep(kind) else { return }
        let target = memory + 2 * rows * units
        step(
          RecurrentGradientStepArguments(
            slopes: slopes, slopesStride: units * recurrent.slopeCount, dy: dy,
            dyStride: units * recurrent.stateCount, hasCell: kind == .lstm, hidden: memory,
            cell: memory + rows * units, gates: target, out: hasResult ? target + gates : nil,
            outStride: width,
            mask: hasMask ? UnsafePointer(mask) : nil, maskStride: 1, units: units), range)
      }
      let own = result[(2 * rows * units)...].prefix(gates)
      #expect(own.allSatisfy { !$0.isNaN })
      // The result repeats the gates' gradient, row for row.
      if hasResult {
        let out = Array(result.suffix(rows * width))
        for row in 0..<rows {
          let columns = units * recurrent.gateCount
          #expect(
            Array(out[row * width..<row * width + columns])
              == Array(own.dropFirst(row * columns).prefix(columns)))
        }
      }
    }
  }
}
