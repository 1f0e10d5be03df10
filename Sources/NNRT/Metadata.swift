import CNNRT
import CPlatform
import NNGraph

/// How many entries the model's metadata has. Usual keys are in the format's specification: name, description, authors,
/// licence, labels (one a line) and others.
///
/// - Parameters:
///   - model: The model.
/// - Returns: The number; 0 if `model` is NULL.
/// - Threads: Any.
@c(nnrt_model_metadata_count) public func nnrt_model_metadata_count(_ model: UnsafePointer<nnrt_model>?)
  -> size_t
{
  count(model) { $0.metadata.count }
}

/// The key of one entry of the metadata.
///
/// - Parameters:
///   - model: The model.
///   - index: Which entry, from 0.
/// - Returns: UTF-8 that ends with NUL and lives as long as the model; NULL, with a message, if `model` is NULL or the
///   index is out of range.
/// - Threads: Any.
@c(nnrt_model_metadata_key) public func nnrt_model_metadata_key(
  _ model: UnsafePointer<nnrt_model>?, _ index: size_t
) -> UnsafePointer<CChar>? {
  entry(model, index)?.key
}

/// The value of one entry of the metadata.
///
/// - Parameters:
///   - model: The model.
///   - index: Which entry, from 0.
/// - Returns: UTF-8 that ends with NUL and lives as long as the model; NULL, with a message, if `model` is NULL or the
///   index is out of range.
/// - Threads: Any.
@c(nnrt_model_metadata_value) public func nnrt_model_metadata_value(
  _ model: UnsafePointer<nnrt_model>?, _ index: size_t
) -> UnsafePointer<CChar>? {
  entry(model, index)?.value
}

/// The value the metadata has for a key.
///
/// - Parameters:
///   - model: The model.
///   - key: The key, in UTF-8, ending with NUL. Not kept.
/// - Returns: UTF-8 that ends with NUL and lives as long as the model; NULL, with a message, if there is no such entry or
///   an argument is NULL.
/// - Threads: Any.
@c(nnrt_model_metadata_find) public func nnrt_model_metadata_find(
  _ model: UnsafePointer<nnrt_model>?, _ key: UnsafePointer<CChar>?
) -> UnsafePointer<CChar>? {
  var found: UnsafePointer<CChar>?
  _ = attempt { () throws(NNError) in
    let handle = try ModelHandle.of(model)
    guard let key else { throw NNError(.invalidArgument, "key is NULL") }
    for entry in handle.metadata where strcmp(entry.key, key) == 0 {
      found = entry.value
      return
    }
    throw NNError(.invalidArgument, "the model's metadata has no \"\(String(cString: key))\"")
  }
  return found
}

private func entry(_ model: UnsafePointer<nnrt_model>?, _ index: size_t) -> (
  key: UnsafePointer<CChar>, value: UnsafePointer<CChar>
)? {
  var found: (key: UnsafePointer<CChar>, value: UnsafePointer<CChar>)?
  _ = attempt { () throws(NNError) in
    let handle = try ModelHandle.of(model)
    found = handle.metadata[try checked(index, of: handle.metadata.count, "metadata entry")]
  }
  return found
}
