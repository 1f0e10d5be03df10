import NNGraph
import NNRuntime

extension Graph {
  /// The graph as it is shipped and run: activations fused into products, identities and unused nodes gone, dense
  /// weights in the kernels' panels. Computes the same bits as the graph it is made from.
  ///
  /// - Throws: ``ErrorCode/outOfMemory``, or what ``verify()`` throws if the graph was not well formed.
  public func packed() throws(NNError) -> Graph {
    var graph = self
    graph.removeIdentities()
    graph.fuseActivations()
    graph.removeUnused()
    try graph.storeWeightsInPanels()
    graph.removeUnused()
    try graph.verify()
    return graph
  }
}
