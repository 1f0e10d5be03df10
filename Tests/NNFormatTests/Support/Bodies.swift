import NNFormat
import NNGraph

/// A loop with a branch in its body, and a branch beside it: graphs inside graphs, each with constants.
func everyBody() throws -> ModelFile {
  func scaling(_ factor: Float) throws -> Graph {
    var body = Graph(name: Name("times \(factor)"))
    let n = body.dimension("M")
    let x = body.addInput("x", .f32, Shape([n]))
    let scale = body.addConstant("factor", try Tensor([factor], extents: [1]))
    body.addOutput(try body.append(.binary(.multiply), [x, scale]), name: "y")
    return body
  }
  var body = Graph(name: "iteration")
  _ = body.addInput("number", .i64, [])
  let condition = body.addInput("condition", .bool, [])
  let x = body.addInput("x", .f32, Shape([Dimension.unknown]))
  body.bodies = [try scaling(2), try scaling(-0.5)]
  let y = try body.append(.dynamic(.branch(then: 0, otherwise: 1)), [condition, x], name: "choice")
  body.addOutput(try body.append(.unary(.identity), [condition]), name: "goes on")
  body.addOutput(y, name: "y")
  body.addOutput(try body.append(.reduce(Reduce(.sum, axes: [0], keepsDimensions: false)), [y]), name: "sum")

  var graph = Graph(name: "bodies")
  let n = graph.dimension("N")
  let most = graph.addInput("most", .i64, [])
  let flag = graph.addInput("flag", .bool, [])
  let input = graph.addInput("x", .f32, Shape([n]))
  graph.bodies = [body, try scaling(3), try scaling(4)]
  let results = try graph.appendAll(
    .dynamic(.loop(body: 0, carried: 1)), [most, flag, input], name: "iterations")
  graph.addOutput(
    try graph.append(.dynamic(.branch(then: 2, otherwise: 1)), [flag, results[0]], name: "end"), name: "y")
  graph.addOutput(results[1], name: "sums")
  return ModelFile(graph: graph)
}
