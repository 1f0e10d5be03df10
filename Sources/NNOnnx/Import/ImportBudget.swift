import NNGraph
import NNPasses

/// What one import may do at most: functions that call functions, loops that are written out and constants made of constants let
/// a small file ask for work without end.
final class ImportBudget {
  var folding = FoldingBudget()
  private var nodes: Int

  /// - Parameter fileSize: bytes; a larger model may have more nodes.
  init(fileSize: Int) {
    nodes = 1 << 18 + fileSize / 8
  }

  /// - Throws: ``ErrorCode/limitExceeded`` if no node is left.
  func takeNode() throws(NNError) {
    guard nodes > 0 else {
      throw NNError(
        .limitExceeded, "functions, branches and loops written out make more nodes than are allowed")
    }
    nodes -= 1
  }

  /// - Throws: ``ErrorCode/limitExceeded`` if fewer bytes are left.
  func take(bytes: Int) throws(NNError) {
    try requireRoom(bytes: bytes)
    folding.bytes -= bytes
  }

  func requireRoom(bytes: Int) throws(NNError) {
    guard bytes <= folding.bytes else {
      throw NNError(.limitExceeded, "\(bytes) bytes of numbers made when importing are more than are allowed")
    }
  }
}
