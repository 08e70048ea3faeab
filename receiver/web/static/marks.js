// Names by which tests, and whoever scripts the page, find the parts that the shared modules make.

export function mark(root) {
  for (const value of root.querySelectorAll(".value")) {
    const number = value.querySelector(".number");
    number.dataset.test = "value";
    number.dataset.sensor = value.dataset.sensor;
    number.dataset.quantity = value.dataset.quantity;
  }
  for (const alert of root.querySelectorAll(".alert")) alert.dataset.test = "alert";
}
