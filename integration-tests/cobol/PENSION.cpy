      ******************************************************************
      * Pension telegram, as the host's own programs declare it.
      ******************************************************************
       01  PENSION-RECORD.
           05  PN-HEADER.
               10  PN-TRANSACTION       PIC X(04).
               10  PN-RESULT            PIC 9(04).
               10  PN-SERIAL            PIC 9(08) COMP.
           05  PN-NAME                  PIC X(20).
           05  FILLER                   PIC X(02).
           05  PN-STATUS                PIC X(01).
               88  PN-STATUS-PAID       VALUE 'P'.
               88  PN-STATUS-STOPPED    VALUE 'S'.
           05  PN-AMOUNTS.
               10  PN-BALANCE           PIC S9(09)V99 COMP-3.
               10  PN-DELTA             PIC S9(05).
               10  PN-LEADING           PIC S9(05) SIGN LEADING.
               10  PN-SEPARATE          PIC S9(03)V9
                                        SIGN IS TRAILING SEPARATE.
           05  PN-BINARY                PIC S9(04) COMP.
           05  PN-LONG                  PIC 9(18) BINARY.
           05  PN-NATIVE                PIC S9(09) COMP-5.
           05  PN-PAID-BY               PIC X(01).
           05  PN-CARD.
               10  PN-CARD-NUMBER       PIC 9(16).
           05  PN-ACCOUNT REDEFINES PN-CARD.
               10  PN-BANK              PIC 9(03).
               10  PN-NUMBER            PIC X(13).
           05  PN-MONTHS                PIC 9(03)V99 COMP-3
                                        OCCURS 3 TIMES.
           05  PN-COUNT                 PIC 9(02).
           05  PN-CHILDREN              OCCURS 0 TO 5 TIMES
                                        DEPENDING ON PN-COUNT.
               10  PN-CHILD-NAME        PIC X(10).
               10  PN-CHILD-SHARE       PIC S9(03)V9(02).
