import NNRuntime

// Runs a model of one f32 input (N, features) on a row of sixteenths, and prints what comes out.
guard CommandLine.arguments.count == 2 else { fatalError("usage: consumer FILE") }
do {
  let model = try Model.open(path: CommandLine.arguments[1])
  try model.selfTest()
  let session = try Session(model)
  let row = (0..<16).map { Float($0) / 16 }
  let result = try session(row, extents: [1, 16])
  print(result.map { "\($0)" }.joined(separator: " "))
} catch {
  fatalError(error.message)
}
