import NNGraph
import Testing

/// The free dimensions of the tests, called N and T where they need a name.
let n = Dimension.named(0)
let t = Dimension.named(1)

func f32(_ dimensions: Dimension...) -> TensorType { TensorType(.f32, Shape(dimensions)) }

func f32(_ first: Int, _ rest: Int...) -> TensorType { TensorType(.f32, Shape([first] + rest)) }

func i64(_ dimensions: Dimension...) -> TensorType { TensorType(.i64, Shape(dimensions)) }

func infer(_ op: Op, _ inputs: TensorType...) throws -> TensorType {
  let results = try op.inferOutputs(inputs)
  #expect(results.count == 1)
  return results[0]
}

/// Expects `body` to throw an ``NNError`` with this code whose message contains `text`.
func expectError(
  _ code: ErrorCode, _ text: String, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("no error", sourceLocation: sourceLocation)
  } catch let error as NNError {
    #expect(error.code == code, "\(error.message)", sourceLocation: sourceLocation)
    #expect(error.message.contains(text), "\(error.message)", sourceLocation: sourceLocation)
  } catch {
    Issue.record(error, sourceLocation: sourceLocation)
  }
}

func expectRefused(
  _ op: Op, _ inputs: TensorType..., code: ErrorCode, _ text: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectError(code, text, sourceLocation: sourceLocation) { _ = try op.inferOutputs(inputs) }
}
