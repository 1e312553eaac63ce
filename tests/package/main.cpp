// Includes everything that is public, with the language level that the package asks for, and links.
#include <carillon/carillon.hpp>

#include <iostream>

int main() {
  std::cout << "carillon " << carillon::version() << '\n';
  return carillon::version().empty() ? 1 : 0;
}
