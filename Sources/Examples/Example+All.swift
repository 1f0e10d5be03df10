extension Example {
  /// All examples, by family.
  public static let all: [Example] = [
    .digitsMLP, .wine, .breastCancer, .diabetes,
    .digitsCNN, .mnistCNN,
    .digitsRNN, .digitsLSTM, .digitsGRU, .sunspots,
    .digitsAutoencoder, .digitsDenoising, .digitsVAE, .digitsAnomaly,
    .transformerReverse, .transformerSort, .characterModel, .digitsViT,
  ]
}
