// How structs become JSON for the database and come back: a writer and a reader with the same
// functions, so that each struct names its fields once, in one function for both directions.
// Fields that have their default are left out, and readers leave the default where nothing is
// written, so that later versions can add some. Readers throw std::exception on anything malformed.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/id_set.hpp"

namespace hyades {

using StoredJson = nlohmann::ordered_json;

// Users' strings are bytes; JSON's are not. What is no UTF-8 becomes {"hex": "..."}.
StoredJson from_bytes(const std::string& text);
std::string to_bytes(const StoredJson& json);

class StoredJsonWriter {
 public:
  template <typename T>
  void number(const char* key, const T& value, const T& fallback = T{}) {
    if (value != fallback) json[key] = value;
  }
  // Written even when it has its default; must be there when it is read.
  template <typename T>
  void required(const char* key, const T& value) {
    json[key] = value;
  }
  void text(const char* key, const std::string& value) {
    if (!value.empty()) json[key] = from_bytes(value);
  }
  void required_text(const char* key, const std::string& value) { json[key] = from_bytes(value); }
  // An enum by its to_string(); `parse` is for the reader.
  template <typename E, typename Parse>
  void word(const char* key, const E& value, const Parse&) {
    json[key] = to_string(value);
  }
  template <typename E, typename Parse>
  void word(const char* key, const E& value, const Parse&, E fallback) {
    if (value != fallback) json[key] = to_string(value);
  }
  void texts(const char* key, const std::vector<std::string>& values) {
    for (const std::string& value : values) json[key].push_back(from_bytes(value));
  }
  void ids(const char* key, const IdSet& value) { json[key] = value.to_string(); }
  // A struct that has a stored_fields() of its own.
  template <typename T>
  void object(const char* key, const T& value) {
    if (value == T{}) return;
    StoredJsonWriter inner;
    stored_fields(inner, value);
    json[key] = std::move(inner.json);
  }
  template <typename T>
  void numbers(const char* key, const std::map<std::string, T>& values) {
    for (const auto& [name, value] : values) json[key][name] = value;
  }
  template <typename T>
  void each(const char* key, const std::vector<T>& values, bool required = false) {
    if (required) json[key] = StoredJson::array();
    for (const T& value : values) {
      StoredJsonWriter element;
      stored_fields(element, value);
      json[key].push_back(std::move(element.json));
    }
  }

  StoredJson json = StoredJson::object();
};

class StoredJsonReader {
 public:
  explicit StoredJsonReader(StoredJson from) : json(std::move(from)) {
    if (!json.is_object()) throw std::runtime_error("not a JSON object");
  }

  template <typename T>
  void number(const char* key, T& value, const T& = T{}) const {
    if (const auto at = json.find(key); at != json.end()) value = at->template get<T>();
  }
  template <typename T>
  void required(const char* key, T& value) const {
    value = json.at(key).template get<T>();
  }
  void text(const char* key, std::string& value) const {
    if (const auto at = json.find(key); at != json.end()) value = to_bytes(*at);
  }
  void required_text(const char* key, std::string& value) const { value = to_bytes(json.at(key)); }
  template <typename E, typename Parse>
  void word(const char* key, E& value, const Parse& parse) const {
    const std::string word = json.at(key).get<std::string>();
    if (!parse(word, value)) throw std::runtime_error(std::string("unknown ") + key);
  }
  template <typename E, typename Parse>
  void word(const char* key, E& value, const Parse& parse, E) const {
    if (json.contains(key)) word(key, value, parse);
  }
  void texts(const char* key, std::vector<std::string>& values) const {
    if (const auto at = json.find(key); at != json.end()) {
      for (const StoredJson& value : *at) values.push_back(to_bytes(value));
    }
  }
  void ids(const char* key, IdSet& value) const {
    const std::string text = json.at(key).get<std::string>();
    if (!text.empty() && !IdSet::parse(text, value)) {
      throw std::runtime_error("malformed set of ids");
    }
  }
  template <typename T>
  void object(const char* key, T& value) const {
    if (const auto at = json.find(key); at != json.end()) {
      StoredJsonReader inner(*at);
      stored_fields(inner, value);
    }
  }
  template <typename T>
  void numbers(const char* key, std::map<std::string, T>& values) const {
    if (const auto at = json.find(key); at != json.end()) {
      for (const auto& [name, value] : at->items()) values[name] = value.template get<T>();
    }
  }
  template <typename T>
  void each(const char* key, std::vector<T>& values, bool required = false) const {
    if (!required && !json.contains(key)) return;
    for (const StoredJson& value : json.at(key)) {
      StoredJsonReader element(value);
      stored_fields(element, values.emplace_back());
    }
  }

  StoredJson json;
};

}  // namespace hyades
