import NNGraph
import Testing

private func bool(_ dimensions: Dimension...) -> TensorType { TensorType(.bool, Shape(dimensions)) }

private let lstm = Op.recurrent(Recurrent(.lstm))
private let weight = f32(5, 20)
private let state = f32(1, 5)

@Test func recurrenceGivesTheStatesOfEveryStep() throws {
  let projected = f32(n, t, .fixed(20))
  #expect(try infer(lstm, projected, weight, state, f32(n, .fixed(5))) == f32(n, t, .fixed(10)))
  #expect(
    try infer(lstm, f32(n, .fixed(7), .fixed(20)), weight, state, state, bool(n, .fixed(7)))
      == f32(n, .fixed(7), .fixed(10)))
  #expect(
    try infer(.recurrent(Recurrent(.gru)), f32(2, 7, 15), f32(5, 15), f32(15), state) == f32(2, 7, 5))
  #expect(
    try infer(.recurrent(Recurrent(.simple, activation: Activation(.tanh))), f32(2, 7, 5), f32(5, 5), state)
      == f32(2, 7, 5))
}

@Test func slopesComeWithTheInitialState() throws {
  #expect(
    try infer(.recurrent(Recurrent(.lstm, keepsSlopes: true)), f32(2, 7, 20), weight, state, state)
      == f32(2, 8, 40))
  #expect(
    try infer(.recurrent(Recurrent(.gru, keepsSlopes: true)), f32(2, 7, 15), f32(5, 15), f32(15), state)
      == f32(2, 8, 30))
  #expect(
    try infer(.recurrent(Recurrent(.simple, keepsSlopes: true)), f32(2, 0, 5), f32(5, 5), state)
      == f32(2, 1, 10))
}

@Test func operandsOfARecurrenceMustFit() {
  let projected = f32(2, 7, 20)
  func refused(_ text: String, _ inputs: TensorType..., code: ErrorCode = .shapeMismatch) {
    expectError(code, text) { _ = try lstm.inferOutputs(inputs) }
  }
  refused("(N, T, …)", f32(2, 20), weight, state, state)
  refused("does not have the 4 gates", f32(2, 7, 15), weight, state, state)
  refused("instead of (H, 4·H)", projected, f32(5, 15), state, state)
  refused("instead of (H, 4·H)", projected, f32(20), state, state)
  refused("initial state has shape (3, 5)", projected, weight, f32(3, 5), state)
  refused("initial state has shape (1, 6)", projected, weight, state, f32(1, 6))
  refused("mask has shape (2, 6)", projected, weight, state, state, bool(.fixed(2), .fixed(6)))
  refused("mask must be bool", projected, weight, state, state, f32(2, 7), code: .dtypeMismatch)
  refused("4 to 5 inputs", projected, weight, state, code: .invalidGraph)
  expectRefused(
    .recurrent(Recurrent(.gru)), f32(2, 7, 15), f32(5, 15), f32(14), state, code: .shapeMismatch,
    "recurrent bias has shape (14)")
  expectRefused(
    .recurrent(Recurrent(.lstm, activation: Activation(.relu))), projected, weight, state, state,
    code: .invalidGraph, "fixed")
  let huge = 1 << 48
  expectRefused(
    .recurrent(Recurrent(.simple, keepsSlopes: true)), f32(1, huge, 1), f32(1, 1), f32(1, 1),
    code: .limitExceeded, "2^48")
}

@Test func gradientOfARecurrenceIsThatOfItsGates() throws {
  let lstm = Recurrent(.lstm, keepsSlopes: true)
  let kept = f32(2, 8, 40)
  for dy in [f32(2, 7, 5), f32(2, 1, 5), f32(2, 7, 10), f32(2, 1, 10)] {
    #expect(try infer(.recurrentGradient(lstm, ofStates: false), kept, weight, dy) == f32(2, 7, 20))
    #expect(try infer(.recurrentGradient(lstm, ofStates: true), kept, weight, dy) == f32(2, 10))
  }
  let gru = Recurrent(.gru, keepsSlopes: true)
  #expect(
    try infer(.recurrentGradient(gru, ofStates: false), f32(2, 8, 30), f32(5, 15), f32(2, 7, 5))
      == f32(2, 7, 20))
  let simple = Recurrent(.simple, keepsSlopes: true)
  #expect(
    try infer(
      .recurrentGradient(simple, ofStates: false), f32(2, 7, 5), f32(5, 5), f32(2, 7, 5),
      bool(.fixed(2), .fixed(7))) == f32(2, 7, 5))
}

@Test func operandsOfARecurrencesGradientMustFit() {
  let lstm = Op.recurrentGradient(Recurrent(.lstm, keepsSlopes: true), ofStates: false)
  let (kept, dy) = (f32(2, 8, 40), f32(2, 7, 5))
  expectRefused(lstm, f32(2, 8, 30), weight, dy, code: .shapeMismatch, "what is kept")
  expectRefused(lstm, f32(2, 0, 40), weight, dy, code: .shapeMismatch, "what is kept")
  expectRefused(lstm, kept, weight, f32(2, 8, 5), code: .shapeMismatch, "gradient has shape (2, 8, 5)")
  expectRefused(lstm, kept, weight, f32(2, 7, 15), code: .shapeMismatch, "gradient has shape (2, 7, 15)")
  expectRefused(lstm, kept, weight, f32(2, 5), code: .shapeMismatch, "(N, T, …)")
  expectRefused(
    .recurrentGradient(Recurrent(.lstm), ofStates: false), kept, weight, dy, code: .invalidGraph, "slopes")
}
