import CPlatform
import Files
import Glibc
import NNFormat
import NNGraph

/// Writes loss, metrics and learning rate of each epoch where TensorBoard finds them: `tensorboard --logdir FOLDER`.
///
/// The file is a sequence of records (length, masked CRC-32C of it, content, masked CRC-32C of that), each an `Event` message of
/// TensorFlow's event.proto with a `Summary` of scalars. Validation values have the tag of training's with "validation/" in front.
public final class TensorBoardLog: Callback {
  public let folder: String
  private var content: [UInt8] = []
  private var path: String?

  /// - Parameter folder: made if it is not there; each run of a program gets a file of its own.
  public init(_ folder: String) {
    self.folder = folder
  }

  public func trainingBegan(_ plan: TrainingPlan, _ trainer: Trainer) throws(NNError) {
    guard path == nil else { return }
    try WholeFile.makeFolder(folder)
    let now = TensorBoardLog.now
    path = folder + "/events.out.tfevents.\(Int(now)).nnrt.\(getpid())"
    append(Event(time: now, step: 0, version: "brain.Event:2", scalars: []))
    try write()
  }

  public func epochEnded(_ report: EpochReport, _ trainer: Trainer) throws(NNError) {
    var scalars = TensorBoardLog.scalars(report.training, "")
    if let validation = report.validation { scalars += TensorBoardLog.scalars(validation, "validation/") }
    scalars.append(("learning_rate", Float(trainer.learningRate)))
    append(Event(time: TensorBoardLog.now, step: report.epoch + 1, version: nil, scalars: scalars))
    try write()
  }

  private static func scalars(_ evaluation: Evaluation, _ prefix: String) -> [(tag: String, value: Float)] {
    [(prefix + "loss", Float(evaluation.loss))]
      + evaluation.metrics.map { (prefix + $0.name, Float($0.value)) }
  }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  private func append(_ event: Event) { content += TensorBoardLog.record(event.bytes) }

  private func write() throws(NNError) {
    if let path { try WholeFile.write(content, to: path) }
  }

  /// A record of a TFRecord file.
  static func record(_ data: [UInt8]) -> [UInt8] {
    let length = littleEndian(UInt64(data.count), bytes: 8)
    return length + littleEndian(UInt64(masked(length)), bytes: 4) + data
      + littleEndian(UInt64(masked(data)), bytes: 4)
  }

  /// CRC-32C, rotated and shifted so that the checksum of what holds checksums does not mislead.
  private static func masked(_ bytes: [UInt8]) -> UInt32 {
    let checksum = bytes.withUnsafeBytes { CRC32C().checksum($0) }
    return (checksum >> 15 | checksum << 17) &+ 0xa282_ead8
  }

  private static func littleEndian(_ value: UInt64, bytes: Int) -> [UInt8] {
    (0..<bytes).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }

  /// An `Event`: wall_time = 1 (double), step = 2 (int64), file_version = 3 (string), summary = 5.
  struct Event {
    var time: Double
    var step: Int
    var version: String?
    var scalars: [(tag: String, value: Float)]

    var bytes: [UInt8] {
      var event: [UInt8] = [1 << 3 | 1] + TensorBoardLog.littleEndian(time.bitPattern, bytes: 8)
      event += [2 << 3] + Event.varint(UInt64(max(step, 0)))
      if let version { event += Event.field(3, Array(version.utf8)) }
      if !scalars.isEmpty {
        // Summary: value = 1, repeated; of each, tag = 1 and simple_value = 2 (float).
        let values = scalars.flatMap { scalar -> [UInt8] in
          let number = TensorBoardLog.littleEndian(UInt64(scalar.value.bitPattern), bytes: 4)
          return Event.field(1, Event.field(1, Array(scalar.tag.utf8)) + [2 << 3 | 5] + number)
        }
        event += Event.field(5, values)
      }
      return event
    }

    /// A field of counted bytes.
    private static func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
      [number << 3 | 2] + varint(UInt64(content.count)) + content
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
      var bytes: [UInt8] = []
      var rest = value
      while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      return bytes + [UInt8(rest)]
    }
  }
}
