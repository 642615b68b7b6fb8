"""A library's lending desk made with FastAPI, which writes its OpenAPI document by itself. It prints
its port and serves until killed.
"""

import datetime
import enum
import socket

import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

app = FastAPI(title="Lending desk")


class State(str, enum.Enum):
    ON_LOAN = "ON_LOAN"
    RETURNED = "RETURNED"


class Book(BaseModel):
    title: str = Field(min_length=1, max_length=80)
    pages: int = Field(ge=1, le=5000)


class Loan(BaseModel):
    state: State
    since: datetime.date
    fee: float | None = None
    late: bool
    remark: str
    first: Book
    books: list[Book]


class Order(BaseModel):
    reader: str = Field(min_length=1, max_length=40)
    book: Book
    until: datetime.date | None = None


class Receipt(BaseModel):
    receipt: str = Field(min_length=1, max_length=200)


@app.get("/loans/{reader}", operation_id="find_loan", response_model_exclude_none=True)
def find_loan(reader: str, late: bool = False) -> Loan:
    if reader == "nobody":
        raise HTTPException(404, {"code": "no-such-reader"})
    book = Book(title="토지 <1>", pages=500)
    day = datetime.date(2026, 11, 22)
    return Loan(
        state=State.ON_LOAN, since=day, fee=12.5, late=late, remark="", first=book,
        books=[book, Book(title="나루", pages=7)],
    )


@app.post("/loans", operation_id="order_loan")
def order_loan(order: Order) -> Receipt:
    return Receipt(receipt=f"{order.reader}/{order.book.title}/{order.book.pages}/{order.until}")


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="critical")).run(sockets=[listener])
