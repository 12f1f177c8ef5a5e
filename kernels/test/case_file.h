// Reader of kernels/<op>/cases.json: one array of flat objects whose values are numbers, strings, booleans
// or arrays of numbers.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "../device/dtype.h"

namespace framepack::test {

class Case {
 public:
  long long integer(const std::string& key, long long otherwise = 0) const;
  double number(const std::string& key, double otherwise = 0) const;
  bool flag(const std::string& key) const { return integer(key) != 0; }
  std::string text(const std::string& key, const std::string& otherwise = "") const;
  std::vector<long long> list(const std::string& key) const;  // empty without the key
  bool has(const std::string& key) const { return numbers_.count(key) + texts_.count(key) > 0; }
  bool is_array(const std::string& key) const { return arrays_.count(key) > 0; }
  DType dtype(const std::string& key, DType otherwise) const;
  std::string describe() const;  // the line of the file

 private:
  friend class CaseParser;
  std::map<std::string, std::string> texts_;
  std::map<std::string, std::vector<double>> numbers_;
  std::set<std::string> arrays_;
  std::string source_;
};

// Throws std::runtime_error for a name that is none.
DType dtype_of_name(const std::string& name);

// Throws std::runtime_error naming the file and the position.
std::vector<Case> read_cases(const std::string& file);

}  // namespace framepack::test
