// Includes everything that is public, with the language level that the package asks for, and links.
#include <iostream>

#include <carillon/carillon.hpp>

int main() {
  std::cout << "carillon " << carillon::version() << '\n';
  return carillon::version().empty() ? 1 : 0;
}
