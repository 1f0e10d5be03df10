extension Example {
  /// All examples, by family.
  public static let all: [Example] = [
    .digitsMLP, .wine, .breastCancer, .diabetes,
    .digitsCNN, .mnistCNN,
    .digitsRNN, .digitsLSTM, .digitsGRU, .sunspots,
    .digitsAutoencoder, .digitsDenoising, .digitsVAE, .digitsAnomaly,
    .ringGAN, .mnistDCGAN,
    .transformerReverse, .transformerSort, .characterModel, .digitsViT,
    .cartPoleDQN, .cartPolePPO,
    .mnistTransfer,
  ]
}
